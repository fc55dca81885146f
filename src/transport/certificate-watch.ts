import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import {
  checkedCertificate,
  unreadable,
  type Certificate,
  type CertificateFiles,
  type CertificatePair,
} from '../../config/certificate.js';
import { tlsOptions } from './tls-options.js';
import { TransportEvents } from './transport-events.js';
import type { TransportSettings } from './transport-settings.js';

const DAY_MS = 86_400_000;
/**
 * How long before its expiry a certificate is reported. Automatic renewal happens just before, at a third of ninety
 * days.
 */
const WARN_BEFORE_MS = 30 * DAY_MS;
/** If the files are not checked, the expiry still is. */
const CALENDAR_MS = 3_600_000;

/**
 * Uses the current certificate of the files for new connections; open ones keep theirs. The files are read again and
 * again and not watched, because a mounted Kubernetes secret changes by a link two folders up, which no watcher
 * reports.
 */
@Injectable()
export class CertificateWatch implements OnApplicationShutdown {
  private readonly servers: Server[] = [];
  private certificate: Certificate | undefined;
  private timer: NodeJS.Timeout | undefined;
  private warnedAt = -Infinity;
  /** A fingerprint of the last content that could not be used, and whether it was reported. */
  private misfit: { readonly print: string; isTold: boolean } | undefined;

  constructor(
    @Inject(Settings) private readonly settings: TransportSettings,
    private readonly events: TransportEvents,
  ) {}

  /** When the certificate in use expires, milliseconds since 1970; undefined without a certificate. */
  get expiresAt(): number | undefined {
    return this.certificate?.expiresAt;
  }

  /** @param certificate the current certificate of the servers */
  start(certificate: Certificate, servers: readonly Server[]): void {
    const { reloadIntervalMs } = this.settings.tls;
    this.certificate = certificate;
    this.servers.push(...servers);
    this.warn(Date.now());
    this.schedule(reloadIntervalMs);
  }

  onApplicationShutdown(): void {
    clearTimeout(this.timer);
    this.certificate = undefined;
  }

  /** @param now milliseconds since 1970 */
  async look(now: number): Promise<void> {
    if (this.settings.tls.reloadIntervalMs > 0) await this.reload(now);
    this.warn(now);
  }

  private schedule(reloadIntervalMs: number): void {
    const next = async (): Promise<void> => {
      await this.look(Date.now());
      if (this.certificate !== undefined) this.schedule(reloadIntervalMs);
    };
    this.timer = setTimeout(() => void next(), reloadIntervalMs || CALENDAR_MS).unref();
  }

  private async reload(now: number): Promise<void> {
    let print = 'unreadable';
    try {
      const pair = await readPair(this.settings.tls);
      if (this.isInUse(pair)) {
        this.misfit = undefined;
        return;
      }
      print = printOf(pair);
      this.use(checkedCertificate(pair, this.settings.tls), now);
      this.misfit = undefined;
    } catch (error) {
      this.tellOnSecondSight(print, (error as Error).message);
    }
  }

  private isInUse({ cert, key }: CertificatePair): boolean {
    return cert === this.certificate?.cert && key === this.certificate.key;
  }

  /** @throws Error if a server cannot use it, or the current one is better */
  private use(certificate: Certificate, now: number): void {
    if (this.certificate === undefined) return;
    if (certificate.expiresAt <= now && this.certificate.expiresAt > now) {
      throw new Error(`TLS_CERT_FILE: ${this.settings.tls.certFile} has expired, unlike the certificate in use`);
    }
    const options = tlsOptions(this.settings.tls, certificate);
    for (const server of this.servers) server.setSecureContext(options);
    this.certificate = certificate;
    this.warnedAt = -Infinity;
    this.events.emit('reloaded', certificate.expiresAt);
  }

  /** Two files change one after the other: a pair that does not fit now may fit in a moment. */
  private tellOnSecondSight(print: string, reason: string): void {
    if (this.misfit?.print !== print) {
      this.misfit = { print, isTold: false };
      return;
    }
    if (this.misfit.isTold) return;
    this.misfit.isTold = true;
    this.events.emit('reloadRefused', reason);
  }

  private warn(now: number): void {
    if (this.certificate === undefined || now < this.certificate.expiresAt - WARN_BEFORE_MS) return;
    if (now - this.warnedAt < DAY_MS) return;
    this.warnedAt = now;
    this.events.emit('expiring', this.certificate.expiresAt);
  }
}

async function readPair({ certFile = '', keyFile = '' }: CertificateFiles): Promise<CertificatePair> {
  const [cert, key] = await Promise.all([read('TLS_CERT_FILE', certFile), read('TLS_KEY_FILE', keyFile)]);
  return { cert, key };
}

async function read(setting: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(setting, file, error);
  }
}

function printOf({ cert, key }: CertificatePair): string {
  return createHash('sha256').update(cert).update('\0').update(key).digest('base64');
}

import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { hostname } from 'node:os';
import { webSocketUrl } from '../../config/addresses.js';
import { VERSION } from '../../config/version.js';
import { EngineLink } from '../cluster/ports/engine-link.js';
import { NodeRegistry, REPORT_MS } from '../cluster/ports/node-registry.js';
import type { LifecycleSettings } from './lifecycle-settings.js';
import { LoadMeter, SAMPLE_MS } from './load-meter.js';
import { Readiness } from './readiness.js';

/** Reports leave in the turn of a sample, so that an idle process is not woken for them. */
const SAMPLES_A_REPORT = REPORT_MS / SAMPLE_MS;

/** Reports this node to the others, every second and whenever it starts or stops accepting clients. */
@Injectable()
export class NodeReporter implements OnApplicationShutdown {
  private readonly startedAt = Date.now();
  private isReporting = false;
  private samples = 0;
  private url = '';
  private underWay: Promise<void> | undefined;
  private isStale = false;

  constructor(
    @Inject(Settings) private readonly settings: LifecycleSettings,
    private readonly registry: NodeRegistry,
    @Inject(EngineLink) private readonly link: EngineLink | undefined,
    private readonly readiness: Readiness,
    private readonly meter: LoadMeter,
  ) {}

  /**
   * Called when the server is ready. Resolves after the first report, even if it failed.
   *
   * @param port the port that the server listens on
   */
  async start(port: number): Promise<void> {
    this.url = this.settings.server.publicUrl ?? this.ownUrl(port);
    this.isReporting = true;
    this.meter.on('measured', () => {
      this.samples += 1;
      if (this.samples % SAMPLES_A_REPORT === 0) void this.report();
    });
    this.readiness.overload.on('changed', () => void this.report());
    this.link?.on('up', () => void this.report());
    await this.report();
  }

  /** Reports the current state. Never rejects: a failed report is repeated in a second. */
  async report(): Promise<void> {
    if (!this.isReporting) return;
    if (this.underWay !== undefined) {
      // The state may have changed since the running report began.
      this.isStale = true;
      return this.underWay;
    }
    this.underWay = this.reportUntilTrue();
    await this.underWay;
    this.underWay = undefined;
  }

  /** The end: from now on other nodes do not know this one. */
  async withdraw(): Promise<void> {
    if (!this.isReporting) return;
    this.onApplicationShutdown();
    await this.underWay;
    // Its lease expires by itself.
    await this.registry.withdraw().catch(() => {});
  }

  onApplicationShutdown(): void {
    this.isReporting = false;
  }

  private async reportUntilTrue(): Promise<void> {
    do {
      this.isStale = false;
      const { url, startedAt } = this;
      const { isReady } = this.readiness;
      const report = { url, version: VERSION, startedAt, isReady, load: this.meter.load };
      // The link counts and logs failures.
      await this.registry.report(report).catch(() => {});
    } while (this.isStale && this.isReporting);
  }

  /** The URL of a node without a proxy, in a network where host names can be resolved. */
  private ownUrl(port: number): string {
    return webSocketUrl(this.settings, port, hostname());
  }
}

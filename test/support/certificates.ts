import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

const DAY_MS = 86_400_000;

/** A certificate for 127.0.0.1, its own root, and its key. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

interface Making {
  /** From now; less than zero: it has ended. */
  readonly days?: number;
  readonly passphrase?: string;
}

export async function makeCertificate({ days = 365, passphrase }: Making = {}): Promise<TestCertificate> {
  const now = Date.now();
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - 100 * DAY_MS),
    // Half a day more, so that whole days are left however long the test takes.
    notAfterDate: new Date(now + (days + 0.5) * DAY_MS),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    ...(passphrase !== undefined && { passphrase }),
  });
  return { cert, key };
}

/** A folder with `tls.crt` and `tls.key`; `using` removes it. */
export class CertificateFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'gatehouse-tls-'));
  /** What has a server use them. */
  readonly environment = { TLS_CERT_FILE: join(this.path, 'tls.crt'), TLS_KEY_FILE: join(this.path, 'tls.key') };

  constructor(certificate: TestCertificate) {
    this.write(certificate);
  }

  /** Into the files that are there. */
  write({ cert, key }: TestCertificate): void {
    writeFileSync(this.environment.TLS_CERT_FILE, cert);
    writeFileSync(this.environment.TLS_KEY_FILE, key);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

/** As Kubernetes mounts a secret: `tls.crt` → `..data/tls.crt`, `..data` → a folder of this version. */
export class MountedSecret implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'gatehouse-secret-'));
  readonly environment = { TLS_CERT_FILE: join(this.path, 'tls.crt'), TLS_KEY_FILE: join(this.path, 'tls.key') };

  constructor(certificate: TestCertificate) {
    this.mount(certificate);
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(this.path, name));
  }

  /** A new version, put in place of the old one by one rename. */
  mount({ cert, key }: TestCertificate): void {
    const version = mkdtempSync(join(this.path, '..version-'));
    writeFileSync(join(version, 'tls.crt'), cert);
    writeFileSync(join(version, 'tls.key'), key);
    symlinkSync(version, join(this.path, '..data_tmp'));
    renameSync(join(this.path, '..data_tmp'), join(this.path, '..data'));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

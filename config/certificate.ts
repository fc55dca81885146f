import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

// Errors name the mistake and the file, and never its content.

export interface CertificateFiles {
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly keyPassphrase: string | undefined;
}

/** The content of the two files. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate and the key that fits it. */
export interface Certificate extends CertificatePair {
  readonly passphrase: string | undefined;
  /** When the first certificate of the chain expires, milliseconds since 1970. */
  readonly expiresAt: number;
}

const ONE_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Undefined if no certificate is set.
 *
 * @throws Error saying what cannot be used
 */
export function readCertificate(files: CertificateFiles): Certificate | undefined {
  const { certFile, keyFile } = files;
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined) throw new Error('TLS_CERT_FILE must be set if TLS_KEY_FILE is set');
  if (keyFile === undefined) throw new Error('TLS_KEY_FILE must be set if TLS_CERT_FILE is set');
  const pair = { cert: readText('TLS_CERT_FILE', certFile), key: readText('TLS_KEY_FILE', keyFile) };
  return checkedCertificate(pair, files);
}

/** @throws Error saying why the pair cannot be used */
export function checkedCertificate({ cert, key }: CertificatePair, files: CertificateFiles): Certificate {
  const chain = chainIn(cert, files);
  const [own] = chain;
  if (own?.checkPrivateKey(keyIn(key, files)) !== true) {
    throw new Error(`TLS_KEY_FILE: ${files.keyFile} is not the key of the first certificate in ${files.certFile}`);
  }
  const passphrase = files.keyPassphrase;
  try {
    createSecureContext({ cert, key, ...(passphrase !== undefined && { passphrase }) });
  } catch (error) {
    // For example a key that OpenSSL considers too short.
    throw new Error(`TLS_CERT_FILE: ${files.certFile} cannot be used (${codeOf(error)})`, { cause: error });
  }
  return { cert, key, passphrase, expiresAt: Math.min(...chain.map(({ validTo }) => Date.parse(validTo))) };
}

/** The text of the files, for other readers. */
export function unreadable(setting: string, file: string, error: unknown): Error {
  return new Error(`${setting}: ${file} cannot be read (${codeOf(error)})`, { cause: error });
}

function readText(setting: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(setting, file, error);
  }
}

function chainIn(cert: string, { certFile }: CertificateFiles): X509Certificate[] {
  try {
    const chain = (cert.match(ONE_CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
    if (chain.length > 0) return chain;
  } catch {
    // Reported below.
  }
  throw new Error(`TLS_CERT_FILE: ${certFile} holds no certificate in PEM form`);
}

function keyIn(key: string, { keyFile, keyPassphrase }: CertificateFiles): KeyObject {
  if (key.includes('ENCRYPTED') && keyPassphrase === undefined) {
    throw new Error(`TLS_KEY_FILE: ${keyFile} is encrypted, so TLS_KEY_PASSPHRASE must be set`);
  }
  try {
    return createPrivateKey({ key, ...(keyPassphrase !== undefined && { passphrase: keyPassphrase }) });
  } catch (error) {
    const what = key.includes('ENCRYPTED')
      ? 'no private key that TLS_KEY_PASSPHRASE opens'
      : 'no private key in PEM form';
    throw new Error(`TLS_KEY_FILE: ${keyFile} holds ${what}`, { cause: error });
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

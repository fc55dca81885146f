import { secretText } from './secret-text.js';

/** Bytes of a key, as Standard Webhooks ask for. */
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;

/** Reads one secret, or two while they are rotated. Returns keys in base64. */
export function hookSecrets(value: unknown): readonly string[] {
  const isPair = Array.isArray(value) && value.length >= 1 && value.length <= 2;
  if (!isPair) throw new Error('must be a list of one or two secrets: whsec_<base64> or file:<path>');
  return value.map((each) => keyOf(typeof each === 'string' && each !== '' ? secretText(each) : each));
}

/** The secret is never quoted. */
function keyOf(value: unknown): string {
  const [, base64 = ''] = (typeof value === 'string' && /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value)) || [];
  const { length } = Buffer.from(base64, 'base64');
  if (length < MIN_KEY_BYTES || length > MAX_KEY_BYTES) {
    throw new Error(`must be whsec_ and the base64 of ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes`);
  }
  return base64;
}

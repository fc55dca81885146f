import { isRecord } from '../../protocol/record.js';
import { readGiver } from './given-order.js';
import { RecordStore, type ListRecord, type RecordType } from './record-store.js';

interface Common extends ListRecord {
  /** The token's `jti`, or the user id. */
  readonly key: string;
  /** Milliseconds since 1970. The tokens concerned should have expired by then. */
  readonly until: number;
}

/** Revokes one token. */
export interface TokenRevocation extends Common {
  readonly kind: 'token';
}

/** Revokes all tokens of a user that were issued before this time, in milliseconds since 1970. */
export interface UserRevocation extends Common {
  readonly kind: 'user';
  readonly issuedBefore: number;
}

/** Replaces the rights in tokens of a user that were issued before this time. */
export interface RightsChange extends Common {
  readonly kind: 'rights';
  readonly issuedBefore: number;
  readonly roles: readonly string[];
  /** Replaces the token's `channels` claim. Absent: the claim of the token applies. */
  readonly channels?: Readonly<Record<string, readonly string[]>>;
}

/** An order that overrides tokens before they expire. */
export type Revocation = TokenRevocation | UserRevocation | RightsChange;

export type RevocationOf<K extends Revocation['kind']> = Extract<Revocation, { readonly kind: K }>;

/** Beyond this number, new revocations are refused. Dropping one would make its token valid again. */
export const MAX_REVOCATIONS = 100_000;

/** Reads a revocation that another node wrote. Returns undefined if it is malformed. */
export function revocationOf(written: unknown): Revocation | undefined {
  if (!isRecord(written)) return undefined;
  const { kind, key, until, reason, issuedBefore } = written;
  if (typeof key !== 'string' || typeof until !== 'number' || typeof reason !== 'string') return undefined;
  const common = { key, until, reason, ...readGiver(written) };
  if (kind === 'token') return { kind, ...common };
  if (typeof issuedBefore !== 'number') return undefined;
  if (kind === 'user') return { kind, ...common, issuedBefore };
  const rights = kind === 'rights' ? rightsOf(written) : undefined;
  return rights && { kind: 'rights', ...common, issuedBefore, ...rights };
}

export const REVOCATIONS: RecordType<Revocation> = {
  list: 'revocations',
  max: MAX_REVOCATIONS,
  whenFull: 'refuse',
  restated: 'different',
  isYielding: () => false,
  read: revocationOf,
};

export abstract class RevocationStore extends RecordStore<Revocation> {}

function rightsOf({
  roles,
  channels,
}: Readonly<Record<string, unknown>>): Pick<RightsChange, 'roles' | 'channels'> | undefined {
  if (!isTexts(roles)) return undefined;
  if (channels === undefined) return { roles };
  if (!isRecord(channels) || !Object.values(channels).every(isTexts)) return undefined;
  return { roles, channels: channels as Readonly<Record<string, readonly string[]>> };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

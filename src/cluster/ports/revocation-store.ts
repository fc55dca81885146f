import { readGiver, type GivenOrder } from './given-order.js';

interface Common extends GivenOrder {
  /** The token's `jti`, or the user id. */
  readonly key: string;
  /** Milliseconds since 1970; what it takes away is to have expired by itself by then. */
  readonly until: number;
  /** Why, for operators. */
  readonly reason: string;
}

/** One token is no longer valid. */
export interface TokenRevocation extends Common {
  readonly kind: 'token';
}

/** Of a user, no token is valid that was issued before then, in milliseconds since 1970. */
export interface UserRevocation extends Common {
  readonly kind: 'user';
  readonly issuedBefore: number;
}

/** Of a user, tokens that were issued before then bring other rights than they say. */
export interface RightsChange extends Common {
  readonly kind: 'rights';
  readonly issuedBefore: number;
  readonly roles: readonly string[];
  /** In the place of the token's `channels` claim; absent: the token's own holds. */
  readonly channels?: Readonly<Record<string, readonly string[]>>;
}

/** What takes back something that tokens say, before they expire. */
export type Revocation = TokenRevocation | UserRevocation | RightsChange;

export type RevocationOf<K extends Revocation['kind']> = Extract<Revocation, { readonly kind: K }>;

/** Beyond this many new ones are refused: none may give way to another, for its token would be good again. */
export const MAX_REVOCATIONS = 100_000;

/** A revocation that another has written, or undefined where it is none. */
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

export function nameOf({ kind, key }: Pick<Revocation, 'kind' | 'key'>): string {
  return `${kind}:${key}`;
}

/** What became of revocations that were put again. What the store had as it is counts as neither. */
export interface Restated {
  readonly taken: number;
  /** There was no room for them. */
  readonly refused: number;
}

/** The revocations of the whole cluster, so that a node that starts knows them. Those whose time is over are not in it any more. */
export abstract class RevocationStore {
  /**
   * The same kind and key again replaces what was there. Resolves with false where there are too many, and then nothing is put.
   *
   * @throws GatehouseError SERVER_BUSY
   */
  abstract put(revocation: Revocation): Promise<boolean>;
  /**
   * Puts what the store may have lost, or holds in an older state.
   *
   * @throws GatehouseError SERVER_BUSY
   */
  abstract restate(revocations: readonly Revocation[]): Promise<Restated>;
  /** Resolves with whether there was one. @throws GatehouseError SERVER_BUSY */
  abstract lift(kind: Revocation['kind'], key: string): Promise<boolean>;
  /** @throws GatehouseError SERVER_BUSY */
  abstract list(): Promise<readonly Revocation[]>;
  /** Names what it holds. Another name later means that it may have lost some of it, or all. @throws GatehouseError SERVER_BUSY */
  abstract life(): Promise<string>;
}

function rightsOf({
  roles,
  channels,
}: Readonly<Record<string, unknown>>): Pick<RightsChange, 'roles' | 'channels'> | undefined {
  if (!isTexts(roles)) return undefined;
  if (channels === undefined) return { roles };
  if (!isRecord(channels) || !Object.values(channels).every(isTexts)) return undefined;
  return { roles, channels: channels as Readonly<Record<string, readonly string[]>> };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

import { computed, signal } from '@preact/signals';

const KEY = 'gatehouse-token';
const FRAGMENT = /^#token=([\w.~+/=-]+)$/;

/** What the token says. The server decides; this only decides what the page offers. */
export interface Identity {
  readonly user: string;
  readonly roles: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined;
}

export const token = signal(firstToken());
/** Why the last token is not used any more. */
export const refusal = signal('');
/** That token, so that a slip in it can be corrected. */
export const refused = signal('');
export const identity = computed(() => identityOf(token.value));
export const isAdmin = computed(() => identity.value.roles.includes('ADMIN'));
/** Whether the person may act, and not only look. */
export const canAct = computed(() => isAdmin.value || identity.value.roles.includes('SERVICE'));

export function signIn(given: string): void {
  const text = given.trim().replace(/^bearer\s+/i, '');
  sessionStorage.setItem(KEY, text);
  refusal.value = '';
  refused.value = '';
  token.value = text;
}

export function signOut(reason = ''): void {
  sessionStorage.removeItem(KEY);
  refusal.value = reason;
  // Several requests may be refused together: the first of them knows the token.
  if (token.value !== '') refused.value = reason === '' ? '' : token.value;
  token.value = '';
}

/** From the address, which then forgets it: a link with a token must not stay in the history. */
function firstToken(): string {
  const given = FRAGMENT.exec(location.hash)?.[1];
  if (given === undefined) return sessionStorage.getItem(KEY) ?? '';
  history.replaceState(null, '', `${location.pathname}#/`);
  sessionStorage.setItem(KEY, given);
  return given;
}

function identityOf(text: string): Identity {
  const claims = claimsOf(text);
  const { sub, roles, exp } = claims;
  return {
    user: typeof sub === 'string' ? sub : '',
    roles: Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [],
    expiresAt: typeof exp === 'number' ? exp * 1_000 : undefined,
  };
}

function claimsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const body = (text.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(body), (character) => character.codePointAt(0) ?? 0);
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

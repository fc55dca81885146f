import { describe, expect, it } from 'vitest';
import { parseNamespaces } from '../../../config/namespaces.js';
import type { Capability, Principal } from '../../../src/authentication/principal.js';
import { demandPublish, demandRead, demandSubscribe } from '../../../src/channels/channel-access.js';
import { channelNamed } from '../../../src/channels/channel.js';
import type { Session } from '../../../src/sessions/session.js';
import { cpuTimeOf } from '../../support/cpu-time.js';

type Who = Partial<Pick<Principal, 'roles' | 'anonymous'>> & { channels?: Record<string, Capability[]> };

function session({ roles = [], anonymous = false, channels }: Who = {}): Session {
  const capabilities = channels && new Map(Object.entries(channels));
  return { principal: { userId: 'alice', roles, anonymous, capabilities } } as unknown as Session;
}

const channel = (options: string, name = 'room:x') =>
  channelNamed(name, parseNamespaces(`namespaces: { room: { ${options} } }`));

/** The code of the refusal; undefined: none. */
function refusal(act: () => void): unknown {
  try {
    return act();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('the rule of a namespace', () => {
  const ADMIN = { roles: ['ADMIN'] };
  const ANONYMOUS = { anonymous: true };
  const RULES: [rule: string, who: Who, name: string, expected: string | undefined][] = [
    ['anyone', ANONYMOUS, 'room:x', undefined],
    ['anyone', {}, 'room:x', undefined],
    ['signed_in', ANONYMOUS, 'room:x', 'UNAUTHENTICATED'],
    ['signed_in', {}, 'room:x', undefined],
    ['own_user', {}, 'room:alice', undefined],
    ['own_user', {}, 'room:bob', 'FORBIDDEN'],
    ['own_user', {}, 'room:alice:x', 'FORBIDDEN'],
    ['own_user', {}, 'room:Alice', 'FORBIDDEN'],
    ['own_user', ANONYMOUS, 'room:alice', 'UNAUTHENTICATED'],
    ['nobody', ADMIN, 'room:x', 'FORBIDDEN'],
    ['[ADMIN, SERVICE]', ADMIN, 'room:x', undefined],
    ['[ADMIN, SERVICE]', { roles: ['MEMBER'] }, 'room:x', 'FORBIDDEN'],
    ['[ADMIN, SERVICE]', {}, 'room:x', 'FORBIDDEN'],
    ['[ADMIN, SERVICE]', ANONYMOUS, 'room:x', 'UNAUTHENTICATED'],
  ];

  it.each(RULES)('%s holds for %j in %s', (rule, who, name, expected) => {
    expect(refusal(() => demandSubscribe(session(who), channel(`subscribe: ${rule}`, name)))).toBe(expected);
    expect(refusal(() => demandPublish(session(who), channel(`publish: ${rule}`, name), false))).toBe(expected);
  });

  it('may let those publish who have subscribed, whoever they are', () => {
    const room = channel('publish: subscribers');
    expect(refusal(() => demandPublish(session(ADMIN), room, false))).toBe('NOT_SUBSCRIBED');
    expect(refusal(() => demandPublish(session(ANONYMOUS), room, true))).toBeUndefined();
  });

  it('of subscribing holds for history and presence, where there are any', () => {
    const both = channel('subscribe: signed_in, history: { size: 1, age: 1m }, presence: true');
    const none = channel('subscribe: signed_in');
    for (const what of ['history', 'presence'] as const) {
      expect(refusal(() => demandRead(session(), both, what))).toBeUndefined();
      expect(refusal(() => demandRead(session(ANONYMOUS), both, what))).toBe('UNAUTHENTICATED');
      expect(refusal(() => demandRead(session(), none, what))).toBe('FORBIDDEN');
    }
  });
});

describe('the capabilities of a token', () => {
  const closed = channel('history: { size: 1, age: 1m }, presence: true, join_leave: true');

  it('add what they name, and nothing else', () => {
    const allowed = (capability: Capability) => {
      const who = session({ channels: { 'room:x': [capability] } });
      const acts = {
        subscribe: () => demandSubscribe(who, closed),
        publish: () => demandPublish(who, closed, false),
        history: () => demandRead(who, closed, 'history'),
        presence: () => demandRead(who, closed, 'presence'),
      };
      return Object.keys(acts).filter((act) => refusal(acts[act as Capability]) === undefined);
    };
    for (const capability of ['subscribe', 'publish', 'history', 'presence'] as const)
      expect(allowed(capability)).toEqual([capability]);
  });

  it('that stop at subscribing do not tell who comes and goes', () => {
    const who = session({ channels: { 'room:x': ['subscribe'] } });
    expect(refusal(() => demandSubscribe(who, closed, true))).toBe('FORBIDDEN');
    const both = session({ channels: { 'room:x': ['subscribe'], '*': ['presence'] } });
    expect(refusal(() => demandSubscribe(both, closed, true))).toBeUndefined();
  });

  it('do not take away what the namespace allows', () => {
    expect(refusal(() => demandSubscribe(session({ channels: {} }), channel('subscribe: anyone')))).toBeUndefined();
  });

  const PATTERNS: [pattern: string, name: string, matches: boolean][] = [
    ['room:x', 'room:x', true],
    ['room:x', 'room:xy', false],
    ['*', 'room:x', true],
    ['**', 'room:x', true],
    ['room:*', 'room:x', true],
    ['room:*', 'room:x:y', true],
    ['roo', 'room:x', false],
    ['room*', 'room:x', true],
    ['*:x', 'room:x', true],
    ['*:x', 'room:xx', false],
    ['room:a*b', 'room:ab', true],
    ['room:a*b', 'room:acb', true],
    ['room:a*b', 'room:a', false],
    ['room:a*a', 'room:a', false],
    ['room:a*a', 'room:aa', true],
    ['r*:*x*', 'room:axb', true],
    ['r*m:*a*b*', 'room:ba', false],
    ['room:.', 'room:x', false],
    ['room:[x]', 'room:x', false],
    ['', 'room:x', false],
  ];

  it.each(PATTERNS)('match %s with %s: %s', (pattern, name, matches) => {
    const who = session({ channels: { [pattern]: ['subscribe'] } });
    expect(refusal(() => demandSubscribe(who, channel('subscribe: nobody', name))) === undefined).toBe(matches);
  });

  it('match in a moment, whatever the pattern', async () => {
    const who = session({ channels: { [`${'*a'.repeat(2_000)}b`]: ['subscribe'] } });
    const matching = (): void => {
      for (let n = 0; n < 100; n += 1)
        refusal(() => demandSubscribe(who, channel('subscribe: nobody', `room:${'a'.repeat(250)}`)));
    };
    expect(await cpuTimeOf(matching)).toBeLessThan(2_000);
  });
});

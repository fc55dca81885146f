import { describe, expect, it } from 'vitest';
import { Subscription } from '../../../src/channels/subscription.js';
import { SubscriptionMap } from '../../../src/channels/subscription-map.js';
import type { Session } from '../../../src/sessions/session.js';

const [ann, bob, cat] = ['ann', 'bob', 'cat'].map((id) => ({ id }) as Session) as [Session, Session, Session];
const of = (session: Session): Subscription => new Subscription(session, 'room:a');

function mapOf(...sessions: Session[]) {
  const map = new SubscriptionMap();
  for (const session of sessions) map.add(of(session));
  return map;
}

const sessionsOf = (map: SubscriptionMap): Session[] => [...map.values()].map(({ session }) => session);

describe('the subscriptions of a channel', () => {
  it.each([[[]], [[ann]], [[ann, bob]], [[ann, bob, cat]]])('know who is there and who is not: %j', (sessions) => {
    const map = mapOf(...sessions);
    expect(map.size).toBe(sessions.length);
    expect(sessionsOf(map)).toEqual(sessions);
    for (const session of [ann, bob, cat]) {
      expect(map.has(session)).toBe(sessions.includes(session));
      expect(map.get(session)?.session).toBe(sessions.includes(session) ? session : undefined);
    }
  });

  it.each([[[ann]], [[ann, bob]]])('have one of each session, the latest: %j', (sessions) => {
    const map = mapOf(...sessions);
    const again = of(ann);
    map.add(again);
    expect(map.size).toBe(sessions.length);
    expect(map.get(ann)).toBe(again);
  });

  it('lose only the one that leaves', () => {
    const map = mapOf(ann, bob, cat);
    expect(map.delete(bob)).toBe(true);
    expect(map.delete(bob)).toBe(false);
    expect(sessionsOf(map)).toEqual([ann, cat]);
    expect([map.delete(ann), map.delete(cat), map.size]).toEqual([true, true, 0]);
    map.add(of(bob));
    expect(sessionsOf(map)).toEqual([bob]);
    expect([map.delete(ann), map.delete(bob), map.size]).toEqual([false, true, 0]);
  });

  it.each([[[ann]], [[ann, bob]], [[ann, bob, cat]]])('may leave while they are gone through: %j', (sessions) => {
    const map = mapOf(...sessions);
    const met: Session[] = [];
    for (const { session } of map.values()) {
      met.push(session);
      map.delete(session);
    }
    expect(met).toEqual(sessions);
    expect(map.size).toBe(0);
  });
});

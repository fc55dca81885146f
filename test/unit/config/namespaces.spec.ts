import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadNamespaces, parseNamespaces } from '../../../config/namespaces.js';
import { UnusableSettings } from '../../../config/unusable-settings.js';

function faultsOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(UnusableSettings);
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}

const one = (options: string): string => `namespaces: { room: { ${options} } }`;

describe('a namespace', () => {
  it('allows nothing and has nothing unless an option says so', () => {
    expect(parseNamespaces('namespaces: { room: {}, empty: }').get('room')).toEqual({
      name: 'room',
      subscribe: 'nobody',
      publish: 'nobody',
      history: undefined,
      presence: false,
      joinLeave: false,
      delivery: 'disconnect',
      priority: 'normal',
      replicas: 0,
      maxMessageBytes: 0,
      publishRate: 0,
      maxSubscribers: 0,
      encryption: 'none',
      replayProtection: false,
    });
  });

  it('takes every option', () => {
    const text =
      one(`subscribe: own_user, publish: [A, B], history: { size: 5, age: 2h }, replicas: 2, presence: true, join_leave: true,
      delivery: latest, priority: low, max_message_bytes: 10, publish_rate: 3, max_subscribers: 7,
      encryption: required, replay_protection: true, ledger: { size: 9, age: 1m }`);
    expect(parseNamespaces(text).get('room')).toEqual({
      name: 'room',
      subscribe: 'own_user',
      publish: ['A', 'B'],
      history: { size: 5, ageMs: 7_200_000 },
      presence: true,
      joinLeave: true,
      delivery: 'latest',
      priority: 'low',
      replicas: 2,
      maxMessageBytes: 10,
      publishRate: 3,
      maxSubscribers: 7,
      encryption: 'required',
      replayProtection: true,
      ledger: { size: 9, ageMs: 60_000 },
    });
  });

  it.each(['anyone', 'signed_in', 'own_user', 'nobody', '[ADMIN]'])('may be subscribed to by %s', (rule) => {
    const expected = rule.startsWith('[') ? ['ADMIN'] : rule;
    expect(parseNamespaces(one(`subscribe: ${rule}`)).get('room')?.subscribe).toEqual(expected);
  });

  it.each([
    ['250ms', 250],
    ['90s', 90_000],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
  ])('reads %s as an age', (age, ageMs) => {
    expect(parseNamespaces(one(`history: { size: 1, age: ${age} }`)).get('room')?.history?.ageMs).toBe(ageMs);
  });

  it.each([
    ['true', { size: 10_000, ageMs: 600_000 }],
    ['false', undefined],
  ])('keeps with `ledger: %s` a ledger of the usual size, or none', (value, ledger) => {
    expect(parseNamespaces(one(`history: { size: 1, age: 1m }, ledger: ${value}`)).get('room')?.ledger).toEqual(ledger);
  });

  it('cannot be changed once it is read', () => {
    const room = parseNamespaces(one('publish: [A], history: { size: 1, age: 1m }')).get('room');
    expect([room, room?.publish, room?.history].map((value) => Object.isFrozen(value))).toEqual([true, true, true]);
  });
});

describe('an unusable namespaces file', () => {
  it.each([
    ['subscribe: everyone', 'room.subscribe must be one of anyone, signed_in, own_user, nobody, or a list of roles'],
    ['subscribe: subscribers', 'room.subscribe must be one of'],
    ['subscribe: ADMIN', 'room.subscribe must be one of'],
    ['publish: []', 'room.publish must be one of'],
    ['publish: [A, 5]', 'room.publish must be one of'],
    ['publish: ["with space"]', 'room.publish must be one of'],
    ['history: 100', 'room.history must be {'],
    ['history: { size: 100 }', 'room.history must be {'],
    ['history: { age: 1m }', 'room.history must be {'],
    ['history: { size: 0, age: 1m }', 'room.history must be {'],
    ['history: { size: 1.5, age: 1m }', 'room.history must be {'],
    ['history: { size: 1, age: 0s }', 'room.history must be {'],
    ['history: { size: 1, age: 10 }', 'room.history must be {'],
    ['history: { size: 1, age: 1w }', 'room.history must be {'],
    ['history: { size: 1, age: [1m] }', 'room.history must be {'],
    ['history: { size: 1, age: 99999999999999999999d }', 'room.history must be {'],
    ['history: { size: 1, age: 1m, ttl: 5 }', 'room.history must be {'],
    ['history: { size: 1, age: 1m }, replicas: -1', 'room.replicas must be a whole number'],
    ['replicas: 1', 'room.replicas needs a history'],
    ['presence: yes', 'room.presence must be true or false'],
    ['join_leave: 1', 'room.join_leave must be true or false'],
    ['delivery: drop', 'room.delivery must be one of disconnect, drop_oldest, latest'],
    ['max_message_bytes: -1', 'room.max_message_bytes must be a whole number'],
    ['publish_rate: 0.5', 'room.publish_rate must be a whole number'],
    ['max_subscribers: "7"', 'room.max_subscribers must be a whole number'],
    ['encryption: optional', 'room.encryption must be one of none, required'],
    ['encryption: true', 'room.encryption must be one of none, required'],
    ['replay_protection: yes', 'room.replay_protection must be true or false'],
    ['ledger: true', 'room.ledger needs a history'],
    ['ledger: yes, history: { size: 1, age: 1m }', 'room.ledger must be'],
    ['ledger: { size: 10 }, history: { size: 1, age: 1m }', 'room.ledger must be { size: <entries'],
    ['ledger: { size: 1000001, age: 1m }, history: { size: 1, age: 1m }', 'room.ledger must have a size of at most'],
    ['joinLeave: true', 'room.joinLeave is not known'],
    ['constructor: true', 'room.constructor is not known'],
  ])('with %s is refused', (options, fault) => {
    expect(faultsOf(() => parseNamespaces(one(options), 'the.yaml'))).toContain(`the.yaml: namespaces.${fault}`);
  });

  it.each([
    ['namespaces: [room]', 'namespaces must be a map'],
    ['namespaces: { room: signed_in }', 'namespaces.room must be a map'],
    ['- room', 'the file must be a map'],
    ['namespace: {}', 'namespace is not known'],
    ['namespaces: { "a:b": {} }', 'namespaces.a:b: a name is 1 to 64 letters, digits, _ and -'],
    ['namespaces: { "": {} }', 'a name is 1 to 64'],
    ['namespaces: { a: {}, a: {} }', 'is not valid YAML: Map keys must be unique'],
    ['namespaces: {', 'is not valid YAML'],
  ])('such as %s is refused', (text, fault) => {
    expect(faultsOf(() => parseNamespaces(text))).toContain(fault);
  });

  it('has all its faults named together', () => {
    const text = 'other: 1\nnamespaces: { "a b": { subscribe: x }, room: { presence: 5, unknown: 1 } }';
    const message = faultsOf(() => parseNamespaces(text));
    for (const fault of ['other is not', 'a b: a name', 'a b.subscribe must', 'room.presence must', 'room.unknown is'])
      expect(message).toContain(fault);
  });

  it('that is not there is named with its path', () => {
    expect(faultsOf(() => loadNamespaces('/nowhere/channels.yaml'))).toContain(
      'CHANNELS_FILE: /nowhere/channels.yaml cannot be read (ENOENT)',
    );
  });
});

describe('a namespaces file', () => {
  it('that comes with the server is read', () => {
    const namespaces = loadNamespaces();
    expect([...namespaces.keys()]).toEqual(['room', 'feed', 'user', 'telemetry', 'twin', 'fleet']);
    expect(namespaces.get('room')).toMatchObject({ subscribe: 'signed_in', publish: 'subscribers', joinLeave: true });
    expect(namespaces.get('user')).toMatchObject({ subscribe: 'own_user', publish: ['ADMIN', 'SERVICE'] });
  });

  it('of the operator replaces it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-namespaces-'));
    try {
      const path = join(folder, 'mine.yaml');
      writeFileSync(path, 'namespaces:\n  mine:\n    subscribe: anyone\n');
      expect([...loadNamespaces(path).keys()]).toEqual(['mine']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('may be empty', () => {
    expect(parseNamespaces('').size).toBe(0);
    expect(parseNamespaces('namespaces:').size).toBe(0);
  });
});

describe('the state of a namespace', () => {
  const KEPT = 'history: { size: 1, age: 1m }';

  it('has a default for each option', () => {
    const { state } = parseNamespaces(one(`${KEPT}, state: true`)).get('room') ?? {};
    expect(state).toEqual({
      maxKeys: 10_000,
      valueBytes: 16_384,
      ttlMs: 86_400_000,
      tickMs: 50,
      ownKey: 'none',
      round: new Map(),
      area: undefined,
    });
    expect(parseNamespaces(one(`${KEPT}, state: false`)).get('room')?.state).toBeUndefined();
  });

  it('takes every option', () => {
    const area = 'area: { fields: [lat, lon], cell: 0.01, max_cells: 9, wrap: 180 }';
    const options = `max_keys: 5, value_bytes: 9, ttl: never, tick: 1s, own_key: user, round: { lat: 5, lon: 0 }, ${area}`;
    expect(parseNamespaces(one(`${KEPT}, state: { ${options} }`)).get('room')?.state).toEqual({
      maxKeys: 5,
      valueBytes: 9,
      ttlMs: 0,
      tickMs: 1_000,
      ownKey: 'user',
      round: new Map([
        ['lat', 5],
        ['lon', 0],
      ]),
      area: { fields: ['lat', 'lon'], cell: 0.01, maxCells: 9, wrap: 180 },
    });
  });

  it.each([
    ['state: true', 'state needs a history'],
    [`${KEPT}, encryption: required, state: true`, 'state cannot be encrypted'],
    [`${KEPT}, message: Post, state: true`, 'message has no meaning with state'],
    [`${KEPT}, delivery: drop_oldest, state: true`, 'delivery must be disconnect or latest'],
    [`${KEPT}, state: { max_keys: 0 }`, 'max_keys must be a whole number from 1 to 1000000'],
    [`${KEPT}, state: { value_bytes: 2000000 }`, 'value_bytes must be a whole number from 1 to 1048576'],
    [`${KEPT}, state: { ttl: 5 }`, 'ttl must be a duration such as 90s, or never'],
    [`${KEPT}, state: { tick: 2m }`, 'tick must be a duration such as 50ms, at most 60s'],
    [`${KEPT}, state: { own_key: everybody }`, 'own_key must be one of session, user, none'],
    [`${KEPT}, state: { round: { lat: 99 } }`, 'round must be a whole number from 0 to 15'],
    [`${KEPT}, state: { keys: 1 }`, 'keys is not known'],
    [`${KEPT}, state: { area: true }`, 'area has a fault: it must be a map'],
    [`${KEPT}, state: { area: { cell: 1 } }`, 'area has a fault: fields must be set'],
    [`${KEPT}, state: { area: { fields: [x, y] } }`, 'area has a fault: cell must be set'],
    [`${KEPT}, state: { area: { fields: [x, x], cell: 1 } }`, 'fields must be the names of two fields'],
    [`${KEPT}, state: { area: { fields: [x, __proto__], cell: 1 } }`, 'fields must be the names of two fields'],
    [`${KEPT}, state: { area: { fields: [x, y, z], cell: 1 } }`, 'fields must be the names of two fields'],
    [`${KEPT}, state: { area: { fields: [x, y], cell: 0 } }`, 'cell must be a number above 0'],
    [`${KEPT}, state: { area: { fields: [x, y], cell: .inf } }`, 'cell must be a number above 0'],
    [`${KEPT}, state: { area: { fields: [x, y], cell: 1, max_cells: 2000 } }`, 'max_cells must be a whole number from'],
    [`${KEPT}, state: { area: { fields: [x, y], cell: 9, wrap: 5 } }`, 'wrap must be a whole number of cells'],
    [`${KEPT}, state: { area: { fields: [x, y], cell: 8, wrap: 180 } }`, 'wrap must be a whole number of cells'],
    [`${KEPT}, state: { area: { fields: [x, y], cell: 0.01, wrap: 180.005 } }`, 'wrap must be a whole number of cells'],
    [`${KEPT}, ledger: true, state: { area: { fields: [x, y], cell: 9 } }`, 'ledger cannot be kept with an area'],
    [`${KEPT}, state: 5`, 'must be a map'],
  ])('%s is refused', (options, fault) => {
    expect(faultsOf(() => parseNamespaces(one(options)))).toContain(fault);
  });

  it.each([
    [0.0001, 180],
    [0.01, 180],
    [0.3, 180],
    [0.7, 178.5],
    [2.5, 180],
    [180, 180],
  ])('an area takes cells of %d with the line at %d', (cell, wrap) => {
    const area = `area: { fields: [x, y], cell: ${cell}, wrap: ${wrap} }`;
    const { state } = parseNamespaces(one(`${KEPT}, state: { ${area} }`)).get('room') ?? {};
    expect(state?.area).toMatchObject({ cell, wrap });
  });
});

import { expect, it } from 'vitest';
import { parseBridges } from '../../../config/bridges/bridges.js';
import { parseNamespaces } from '../../../config/namespaces.js';
import { UnusableSettings } from '../../../config/unusable-settings.js';

const NAMESPACES = parseNamespaces(`namespaces:
  order: {}
  twin: { state: true, history: { size: 10, age: 1m } }
`);
const KAFKA = 'kafka: { brokers: [127.0.0.1:9092] }';
const NATS = 'nats: { servers: [nats://127.0.0.1:4222] }';

function faultsOf(text: string, namespaces = NAMESPACES): readonly string[] {
  try {
    parseBridges(text, namespaces);
  } catch (error) {
    if (error instanceof UnusableSettings) return error.faults;
    throw error;
  }
  return [];
}

it('reads brokers and sources, with defaults', () => {
  const { name, kafka, nats } = parseBridges(
    `${KAFKA}
${NATS}
in:
  - { kafka: orders, channel: 'order:{key}', dead_letter: orders-dead }
  - { nats: 'orders.*.status', stream: ORDERS, durable: gatehouse, channel: 'order:{1}' }
  - { nats: 'plain.>', channel: 'order:all' }`,
    NAMESPACES,
  );
  expect(name).toBe('gatehouse');
  expect(kafka).toMatchObject({
    brokers: ['127.0.0.1:9092'],
    group: 'gatehouse',
    sources: [{ kafka: 'orders', deadLetter: 'orders-dead', from: 'earliest' }],
  });
  expect(nats?.sources).toMatchObject([
    {
      stream: 'ORDERS',
      durable: 'gatehouse',
      inFlight: 1,
      channel: { parts: [{ text: '' }, { value: '1' }, { text: '' }] },
    },
    { nats: 'plain.>', queue: 'gatehouse', deadLetter: undefined },
  ]);
});

it.each([
  ['cluster: 1', /cluster is not known/],
  ['name: a b', /name must be/],
  ['kafka: { brokers: [], group: a }', /brokers must be a list/],
  ['kafka: { brokers: [localhost] }', /brokers must be a list/],
  ['kafka: { group: a }', /kafka.brokers must be set/],
  ['kafka: { brokers: [a:1], password: x }', /kafka.password is not known/],
  ['kafka: { brokers: [a:1], sasl: { mechanism: magic } }', /mechanism must be one of plain/],
  ['kafka: { brokers: [a:1], ssl: { ca: file:/nowhere } }', /cannot be read \(ENOENT\)/],
  ['nats: { servers: [http://a] }', /servers must be a list of nats/],
  ['nats: { servers: [nats://user:secret@a:1] }', /servers must be a list of nats/],
  ['nats: { servers: [nats://a:1], credentials: /nowhere }', /must be the path of a file/],
  ['in: 1', /in must be a list/],
  ["in: [{ kafka: orders, channel: 'order:{key}' }]", /kafka must be set/],
  [`${NATS}\nin: [{ nats: orders, channel: 'cinema:1' }]`, /no namespace cinema/],
  [`${NATS}\nin: [{ nats: orders, channel: 'twin:1' }]`, /twin has state/],
  [`${NATS}\nin: [{ nats: orders, channel: '{subject}:1' }]`, /must be <namespace>:<name>/],
  [`${NATS}\nin: [{ nats: orders.*, channel: 'order:{2}' }]`, /\{2\} that no message has/],
  [`${NATS}\nin: [{ nats: orders.*, channel: 'order:{1' }]`, /a brace without/],
  [`${NATS}\nin: [{ nats: orders.*, channel: 'order:1', stream: A }]`, /durable must be set/],
  [`${NATS}\nin: [{ nats: orders.*, channel: 'order:1', in_flight: 2 }]`, /in_flight is not known/],
  [`${NATS}\nin: [{ nats: a, channel: 'order:1', stream: A, durable: b, in_flight: 0 }]`, /from 1 to 1000/],
  [`${NATS}\nin: [{ nats: a..b, channel: 'order:1' }]`, /must be a subject/],
  [`${NATS}\nin: [{ nats: a, channel: 'order:1', dead_letter: 'b.*' }]`, /must be a subject without wildcards/],
  [`${KAFKA}\nin: [{ kafka: a b, channel: 'order:1' }]`, /must be the name of a topic/],
  [`${KAFKA}\nin: [{ kafka: a, channel: 'order:{1}' }]`, /\{1\} that no message has/],
  [
    `${KAFKA}\nin: [{ kafka: a, channel: 'order:1' }, { kafka: a, channel: 'order:2' }]`,
    /in\[1\]: the topic a is read already/,
  ],
  [
    `${NATS}\nin: [{ nats: a, channel: 'order:1', stream: A, durable: b }, { nats: c, channel: 'order:2', stream: A, durable: b }]`,
    /in\[1\]: the durable b is used already/,
  ],
])('refuses %s', (text, fault) => {
  expect(faultsOf(text).join('\n')).toMatch(fault);
});

it('never quotes a secret', () => {
  const faults = faultsOf('nats: { servers: [nats://u:s3cret@a:1], password: [s3cret] }').join('\n');
  expect(faults).toMatch(/password must be a text/);
  expect(faults).not.toContain('s3cret');
});

it('needs the broker that a namespace sends to', () => {
  const namespaces = parseNamespaces('namespaces: { room: { egress: { kafka: rooms } } }');
  expect(faultsOf(NATS, namespaces).join('\n')).toMatch(/kafka must be set: namespaces.room.egress needs it/);
  expect(faultsOf(KAFKA, namespaces)).toEqual([]);
});

it.each([
  ['{ kafka: a, nats: b }', /must be \{ kafka/],
  ['{ kafka: a, stream: b }', /must be \{ kafka/],
  ["{ nats: 'a.*' }", /without wildcards/],
  ['{ topic: a }', /topic is not known/],
])('refuses egress: %s', (egress, fault) => {
  expect(() => parseNamespaces(`namespaces: { room: { egress: ${egress} } }`)).toThrow(fault);
});

it('refuses egress of payloads that are encrypted, and of state', () => {
  const room = (options: string) => () => parseNamespaces(`namespaces: { room: { egress: { kafka: a }, ${options} } }`);
  expect(room('encryption: required')).toThrow(/egress cannot be combined with encryption/);
  expect(room('state: true, history: { size: 10, age: 1m }')).toThrow(/egress has no meaning with state/);
});

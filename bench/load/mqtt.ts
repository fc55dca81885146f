/** The three packets of MQTT 3.1.1 that a client of the fan-out sends, all with QoS 0. */
const types = { connect: 0x10, publish: 0x30, subscribe: 0x82 } as const;
const protocolLevel = 4;
const cleanSession = 0x02;
const packetId = Buffer.from([0, 1]);

/** Signs in without a name and without a keep-alive: the broker chooses the name and sends no heartbeats. */
export function connectPacket(): Buffer {
  const keepAlive = Buffer.from([0, 0]);
  return packet(types.connect, text('MQTT'), Buffer.from([protocolLevel, cleanSession]), keepAlive, text(''));
}

export function subscribePacket(topic: string): Buffer {
  const qos = Buffer.from([0]);
  return packet(types.subscribe, packetId, text(topic), qos);
}

/** The broker's answer to `subscribePacket`: accepted with QoS 0. */
export const subscribedPacket: Buffer = Buffer.from([0x90, 3, ...packetId, 0]);

export function publishPacket(topic: string, payload: string): Buffer {
  return packet(types.publish, text(topic), Buffer.from(payload));
}

function packet(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([type, ...lengthOf(body)]), body]);
}

/** Seven bits a byte, the lowest first; the eighth bit says that another byte follows. */
function lengthOf(body: Buffer): number[] {
  const bytes: number[] = [];
  let rest = body.length;
  do {
    const more = rest > 0x7f;
    bytes.push((rest & 0x7f) | (more ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

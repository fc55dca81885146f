// GATEHOUSE_KEY=… node examples/encrypted-client.mjs "ws://127.0.0.1:8080/ws?token=…"
// The key is one of the server's ENCRYPTION_KEYS.
import { createCipheriv, createDecipheriv, createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';

const url = process.argv[2] ?? process.env.GATEHOUSE_URL ?? 'ws://127.0.0.1:8080/ws';
const channel = process.env.GATEHOUSE_CHANNEL ?? 'room:lobby';
const key = Buffer.from(process.env.GATEHOUSE_KEY ?? '', 'base64url');
if (key.length !== 32) throw new Error('GATEHOUSE_KEY must be 32 bytes in base64url');
const [signing, encryption] = [key.subarray(0, 16), key.subarray(16)];

const show = (...words) => process.stdout.write(`${words.join(' ')}\n`);
const sign = (bytes) => createHmac('sha256', signing).update(bytes).digest();

/** A Fernet token: version, time, initialization vector, ciphertext, signature. */
function seal(data) {
  const head = Buffer.alloc(9, 0x80);
  head.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1000)), 1);
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-128-cbc', encryption, iv);
  const body = Buffer.concat([head, iv, cipher.update(JSON.stringify(data)), cipher.final()]);
  const token = Buffer.concat([body, sign(body)]).toString('base64url');
  return token.padEnd(Math.ceil(token.length / 4) * 4, '=');
}

/** The payload of a message or a publication, decrypted where it is encrypted. */
function opened({ enc, data }) {
  if (enc !== 'fernet') return data;
  const bytes = Buffer.from(data, 'base64url');
  const body = bytes.subarray(0, -32);
  if (!timingSafeEqual(sign(body), bytes.subarray(-32))) throw new Error('Not encrypted with this key');
  const decipher = createDecipheriv('aes-128-cbc', encryption, body.subarray(9, 25));
  return JSON.parse(Buffer.concat([decipher.update(body.subarray(25)), decipher.final()]).toString());
}

const socket = new WebSocket(url, ['v1.json']);
const waiting = new Map();
socket.on('message', (/** @type {Buffer} */ bytes) => {
  const message = JSON.parse(bytes.toString());
  const answer = waiting.get(message.id);
  waiting.delete(message.id);
  if (!answer) show('←', message.type, message.channel, opened(message));
  else if (message.type === 'error') answer.reject(new Error(`${message.code}: ${message.message}`));
  else answer.resolve(opened(message));
});

/** An encrypted message; a repetition of it, as after a reconnect, would need the same id and ts. */
function request(type, data) {
  const id = randomUUID();
  socket.send(JSON.stringify({ type, id, ts: Date.now(), enc: 'fernet', data: seal(data) }));
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

await once(socket, 'open');
show('echo', JSON.stringify(await request('echo', { text: 'hi' })));
show('subscribed', (await request('subscribe', { channel })).channel);
show('published', (await request('publish', { channel, data: 'a secret' })).channel);
socket.close(1000);
const [code] = await once(socket, 'close');
show('closed', code);

/** Nanoseconds to encode and decode one envelope: `npx tsx bench/codec.ts`. The best of seven rounds counts. */
import type { ServerMessage } from '@gatehouse/protocol';
import { CODECS } from '../src/protocol/codecs/subprotocols.js';

/** Holds each result for a moment, so that the work cannot be optimised away. */
export let kept: unknown;

const ECHO: ServerMessage = { type: 'echo_reply', id: 'c-17', data: { room: 'lobby', text: 'hi there' } };
const REPORT: ServerMessage = {
  type: 'message',
  channel: 'telemetry:plant-4',
  ts: 1_763_812_800_123,
  from: { userId: 'sensor-17', sessionId: 'k3f9x0a1' },
  data: {
    readings: Array.from({ length: 25 }, (_, at) => ({
      sensor: `s-${at}`,
      value: at * 1.37,
      ok: at % 7 > 0,
      at,
      unit: 'kPa',
    })),
  },
};

for (const [name, message] of Object.entries({ echo: ECHO, report: REPORT })) {
  const whole = { v: 1, ...message };
  const text = JSON.stringify(whole);
  report(
    `${name} bare JSON`,
    Buffer.byteLength(text),
    () => JSON.stringify(whole),
    () => JSON.parse(text) as unknown,
  );
  for (const codec of Object.values(CODECS)) {
    const frame = Buffer.from(codec.encode(message));
    report(
      `${name} ${codec.subprotocol}`,
      frame.length,
      () => codec.encode(message),
      () => codec.decode(frame),
    );
  }
}

function report(name: string, bytes: number, encode: () => unknown, decode: () => unknown): void {
  const [encoding, decoding] = [nanoseconds(encode), nanoseconds(decode)];
  console.log(
    `${name.padEnd(18)} ${String(bytes).padStart(5)} B   encode ${encoding.padStart(6)} ns   decode ${decoding.padStart(6)} ns`,
  );
}

function nanoseconds(work: () => unknown): string {
  const rounds = Array.from({ length: 7 }, () => {
    const start = process.hrtime.bigint();
    for (let run = 0; run < 20_000; run++) kept = work();
    return Number(process.hrtime.bigint() - start) / 20_000;
  });
  return Math.min(...rounds).toFixed(0);
}

import { STATUS_CODES } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WIRES, type Wire } from '../support/wires.js';
import { cuts, envelopes, frames, heads, mutations } from './hostile-values.js';
import { Victim } from './victim.js';

/** 0: a few dozen attacks of each kind, as in every test run. Otherwise about so long in all, whatever comes. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 0);
const SEED = process.env.FUZZ_SEED;
const RUNS = 15;
const KINDS = 13;
const LONGEST_MS = Math.max(300_000, SECONDS * 2_000);

let victim: Victim;
beforeAll(async () => {
  victim = await Victim.start();
});
afterAll(() => victim[Symbol.asyncDispose]());

/** Attacks again and again; after each an honest client is served. fast-check prints the seed of what fails. */
async function attacks<T>(arbitrary: fc.Arbitrary<T>, attack: (value: T) => Promise<void>): Promise<void> {
  const property = fc.asyncProperty(arbitrary, async (value) => {
    await attack(value);
    await victim.serves();
  });
  await fc.assert(property, {
    numRuns: SECONDS === 0 ? RUNS : 1e9,
    ...(SECONDS === 0 ? {} : { interruptAfterTimeLimit: (SECONDS * 1_000) / KINDS }),
    ...(SEED === undefined ? {} : { seed: Number(SEED) }),
  });
  await victim.hasRecovered();
}

/** A whole masked frame of the kind that the codec wants. */
function framed(wire: Wire, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(payload.length < 126 ? 2 : 4);
  head[0] = wire.subprotocol === 'v1.json' ? 0x81 : 0x82;
  head[1] = 0x80 | (payload.length < 126 ? payload.length : 126);
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

/** Undefined where the codec has no bytes for it. */
function written(wire: Wire, message: Record<string, unknown>): Buffer | undefined {
  try {
    const bytes = Buffer.from(wire.write(message));
    return bytes.length > 60_000 ? undefined : bytes;
  } catch {
    return undefined;
  }
}

describe.each(WIRES)('whatever a client of $subprotocol sends, the server goes on', (wire) => {
  it(
    'random bytes in good frames',
    async () => {
      const messages = fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 5 });
      await attacks(messages, (payloads) =>
        victim.attack(
          wire,
          payloads.map((payload) => framed(wire, payload)),
        ),
      );
    },
    LONGEST_MS,
  );

  it(
    'random frames, in random segments',
    async () => {
      const attack = fc.tuple(fc.array(frames, { minLength: 1, maxLength: 5 }), cuts, fc.boolean());
      await attacks(attack, ([all, cut, deflate]) => victim.attack(wire, cut(Buffer.concat(all)), deflate));
    },
    LONGEST_MS,
  );

  it(
    'good envelopes with hostile values, in random segments',
    async () => {
      const attack = fc.tuple(fc.array(envelopes, { minLength: 1, maxLength: 5 }), cuts);
      await attacks(attack, async ([messages, cut]) => {
        const payloads = messages.flatMap((message) => written(wire, message) ?? []);
        await victim.attack(wire, cut(Buffer.concat(payloads.map((payload) => framed(wire, payload)))));
      });
    },
    LONGEST_MS,
  );

  it(
    'good envelopes, mutated',
    async () => {
      const attack = fc.array(fc.tuple(envelopes, mutations), { minLength: 1, maxLength: 5 });
      await attacks(attack, async (pairs) => {
        const payloads = pairs.flatMap(([message, mutate]) => {
          const bytes = written(wire, message);
          return bytes === undefined ? [] : [mutate(bytes)];
        });
        await victim.attack(
          wire,
          payloads.map((payload) => framed(wire, payload)),
        );
      });
    },
    LONGEST_MS,
  );
});

describe('whatever comes in the place of a request, the server goes on', () => {
  it(
    'is answered with a status that there is, or not at all',
    async () => {
      const attack = fc.tuple(heads, fc.option(mutations));
      await attacks(attack, async ([head, mutate]) => {
        const status = await victim.knock(mutate === null ? head : mutate(head));
        expect([0, ...Object.keys(STATUS_CODES).map(Number)]).toContain(status);
        expect(status).not.toBe(500);
      });
    },
    LONGEST_MS,
  );
});

import { setTimeout as pause } from 'node:timers/promises';
import * as faults from './faults.js';
import type { World } from './faults.js';

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Step {
  readonly name: string;
  /** Two faults of one target never happen at one time. */
  readonly target: string;
  readonly happen: (world: World) => Promise<void>;
  readonly losesData: boolean;
}

const MAX_FAULT_MS = 2_500;
const MAX_PAUSE_MS = 1_000;

/** The next fault that the seed brings. */
function nextStep(random: () => number, nodeCount: number): Step {
  const node = Math.floor(random() * nodeCount);
  const ms = Math.floor(random() * MAX_FAULT_MS);
  const at = `node ${node + 1}`;
  const step = (target: string, name: string, happen: Step['happen'], losesData = false): Step => ({
    name: `${name} ${target}`,
    target,
    happen,
    losesData,
  });
  const steps = [
    step(at, `partition for ${ms} ms:`, (world) => faults.partitionNode(world, node, ms)),
    step(at, `cut off from Redis for ${ms} ms:`, (world) => faults.cutOffFromRedis(world, node, ms)),
    step(at, `kill, and start after ${ms} ms:`, (world) => faults.killNode(world, node, ms)),
    step(at, 'replace in good order:', (world) => faults.replaceNode(world, node)),
    step('Redis', `freeze for ${ms} ms:`, (world) => faults.freezeRedis(world, ms)),
    step('Redis', `kill, and start after ${ms} ms:`, (world) => faults.restartRedis(world, ms)),
    step('Redis', `kill, lose its data, and start after ${ms} ms:`, (world) => faults.emptyRedis(world, ms), true),
    step('Redis', 'cut those who listen to', (world) => faults.cutRedis(world.redis, 'pubsub')),
    step('Redis', 'cut those who ask', (world) => faults.cutRedis(world.redis, 'normal')),
  ];
  return steps[Math.floor(random() * steps.length)] as Step;
}

/**
 * One fault after the other, sometimes two at a time, for about so long; each is printed.
 *
 * @returns whether Redis has lost what it had
 */
export async function walk(world: World, seed: number, durationMs: number): Promise<boolean> {
  const random = randomNumbers(seed);
  let hasLostData = false;
  for (const end = performance.now() + durationMs; performance.now() < end;) {
    const [first, second] = [nextStep(random, world.nodes.count), nextStep(random, world.nodes.count)];
    const isDouble = random() < 0.3 && first.target !== second.target;
    const pauseMs = random() * MAX_PAUSE_MS;
    const happening = isDouble ? [first, second] : [first];
    process.stdout.write(`  ${happening.map(({ name }) => name).join(' and ')}\n`);
    hasLostData ||= happening.some(({ losesData }) => losesData);
    await Promise.all(happening.map(({ happen }) => happen(world)));
    await pause(pauseMs);
  }
  return hasLostData;
}

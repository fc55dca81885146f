import { setTimeout as pause } from 'node:timers/promises';
import { processorMicroseconds, startProcessorWindow, type ProcessorUse } from '../harness/processor-time.js';
import { Attackers } from './attackers.js';
import { HonestClients, type HonestFigures } from './honest.js';
import { runLoad, type LoadReport, type Reading, type Server } from './job.js';
import { bytesAfterCollection } from './memory.js';
import { countsOf, growth, MemoryWatch } from './server-figures.js';

export interface AttackJob {
  readonly server: Server;
  /** Before the attack, and after it. */
  readonly quietMs: number;
  readonly attackMs: number;
  /** Between the end of the attack and what counts as after. */
  readonly settleMs: number;
  readonly clients: number;
  readonly messagesPerSecond: number;
  /** Of the server's core, while it is attacked. */
  readonly share: number;
}

const tickMs = 100;
const collectionMs = 2_000;
const mib = 1024 * 1024;

async function attack(job: AttackJob): Promise<LoadReport> {
  const { server, quietMs, settleMs } = job;
  const honest = await HonestClients.open(server, job.clients);
  honest.start(job.messagesPerSecond);
  await pause(settleMs);
  const restingBytes = await bytesAfterCollection(server, collectionMs);
  honest.figures();
  await pause(quietMs);
  const before = honest.figures();

  const counted = await countsOf(server);
  const attackers = new Attackers(server);
  const memory = new MemoryWatch(server);
  memory.start(Math.max(500, job.attackMs / 120));
  const endWindow = startProcessorWindow(server.pid);
  await attackFor(job, attackers);
  const use = endWindow();
  memory.stop();
  const during = honest.figures();
  attackers.stop();

  await pause(settleMs);
  honest.figures();
  await pause(quietMs);
  const after = honest.figures();
  honest.stop();
  const grownBytes = (await bytesAfterCollection(server, collectionMs)) - restingBytes;
  return {
    readings: [
      ...readings('before', before),
      ...readings('during', during, use),
      ...readings('after', after),
      { measure: 'server memory in MiB, highest during', value: memory.highestMib },
      { measure: 'server memory growth in MiB, after', value: Math.max(0, grownBytes / mib) },
    ],
    remarks: [
      `attackers: ${[...attackers.steps].map(([kind, steps]) => `${kind} ${steps}`).join(', ')}`,
      `what the server counted: ${growth(counted, await countsOf(server))}`,
      memory.toString(),
    ],
    invalid: null,
  };
}

/** As many attackers as bring the server to its share of a core: more while it is below, fewer while it is above. */
async function attackFor({ server, attackMs, share }: AttackJob, attackers: Attackers): Promise<void> {
  const until = performance.now() + attackMs;
  let stepsATick = 2;
  let [at, spent] = [performance.now(), processorMicroseconds(server.pid)];
  while (performance.now() < until) {
    for (let step = 0; step < Math.round(stepsATick); step += 1) attackers.step();
    await pause(tickMs);
    const [now, total] = [performance.now(), processorMicroseconds(server.pid)];
    if (now - at < 1_000) continue;
    const taken = (total - spent) / ((now - at) * 1_000);
    stepsATick = Math.min(100, Math.max(1, stepsATick * Math.min(1.5, Math.max(0.5, share / taken))));
    [at, spent] = [now, total];
  }
}

function readings(when: string, { p50, p99, errors }: HonestFigures, use?: ProcessorUse): Reading[] {
  const measured = use === undefined ? {} : { use };
  return [
    { measure: `p50 echo in ms, ${when}`, value: p50, ...measured },
    { measure: `p99 echo in ms, ${when}`, value: p99, ...measured },
    { measure: `honest errors, ${when}`, value: errors },
  ];
}

await runLoad(attack);

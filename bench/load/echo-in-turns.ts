import { setTimeout as pause } from 'node:timers/promises';
import { median } from '../harness/statistics.js';
import { exactMicroseconds, startProcessorWindow, type ProcessorUse } from '../harness/processor-time.js';
import { Echoing, type EchoLoad } from './echoing.js';
import { runLoad, type LoadReport, type Reading, type Timing } from './job.js';

/** `windowMs` is that of one window. */
export interface EchoInTurnsJob extends EchoLoad, Timing {
  /** What the two figures are called: the server as it starts, and after each odd number of its signals. */
  readonly measures: readonly [first: string, second: string];
  /** Has the server change from one way to the other. */
  readonly signal: NodeJS.Signals;
}

/** In each way. Short windows of one process, one after the other, differ less than two processes do. */
const windows = 12;
/** For a change to have come into effect. */
const settleMs = 200;

interface Window {
  readonly microseconds: number;
  readonly use: ProcessorUse;
  readonly replies: number;
}

async function echoInTurns(job: EchoInTurnsJob): Promise<LoadReport> {
  const { server, signal, measures } = job;
  const echoing = await Echoing.start(job);
  const turns: readonly [Window[], Window[]] = [[], []];
  // Both ways are warm before one is measured.
  for (const _ of measures) {
    await pause(job.warmUpMs / 2);
    process.kill(server.pid, signal);
  }
  for (let turn = 0; turn < 2 * windows; turn += 1) {
    await pause(settleMs);
    turns[turn % 2 === 0 ? 0 : 1].push(await windowOf(echoing, server.pid, job.windowMs));
    process.kill(server.pid, signal);
  }
  return {
    readings: measures.map((measure, index) => readingOf(measure, turns[index === 0 ? 0 : 1])),
    remarks: [],
    invalid: echoing.complaint(Math.min(...turns.flat().map(({ replies }) => replies))),
  };
}

async function windowOf(echoing: Echoing, pid: number, lengthMs: number): Promise<Window> {
  const before = { replies: echoing.replies, microseconds: exactMicroseconds(pid) };
  const endWindow = startProcessorWindow(pid);
  await pause(lengthMs);
  const use = endWindow();
  return {
    use,
    microseconds: exactMicroseconds(pid) - before.microseconds,
    replies: echoing.replies - before.replies,
  };
}

function readingOf(measure: string, turns: readonly Window[]): Reading {
  const elapsedMs = turns.reduce((sum, { use }) => sum + use.elapsedMs, 0);
  const replies = turns.reduce((sum, turn) => sum + turn.replies, 0);
  const [use] = turns.map((turn) => turn.use);
  return {
    measure,
    value: median(turns.map((turn) => turn.microseconds / turn.replies)),
    perSecond: (replies * 1_000) / elapsedMs,
    ...(use && { use }),
  };
}

await runLoad(echoInTurns);

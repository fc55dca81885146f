import type { BenchCase, Extent, Load } from '../cases/bench-case.js';
import { productVersion, type Peer } from '../peers/catalogue.js';
import { generateLoad } from './load-process.js';
import { startPeer } from './peer-process.js';
import { CaseResults } from './results.js';
import { rounded } from './statistics.js';

export interface CasePlan {
  readonly peers: readonly Peer[];
  readonly runs: number;
  readonly extent: Extent;
}

/** What other programs may take of one core before figures move: a starved server finds its turns run together. */
const quietShare = 0.15;
const notQuiet = 'other programs took part of the cores in some runs: measure again on a quiet machine';

/** Round after round, all peers in turn: what drifts on the machine meets them alike. */
export async function runCase(benchCase: BenchCase, { peers, runs, extent }: CasePlan): Promise<CaseResults> {
  const rounds = Math.min(runs, benchCase.mostRuns ?? runs);
  const results = new CaseResults(benchCase, rounds, extent.quick);
  for (let round = 0; round < rounds; round += 1) {
    for (const peer of peers) {
      try {
        await runPeer(results, peer, round, extent);
      } catch (error) {
        note(results, `${peer.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  return results;
}

async function runPeer(results: CaseResults, peer: Peer, round: number, extent: Extent): Promise<void> {
  const { benchCase } = results;
  let done = 0;
  let count = 1;
  while (done < count) {
    await using running = await startPeer(peer, benchCase);
    results.versions.set(peer.name, running.version ?? productVersion());
    if (running.redisVersion !== null) results.versions.set('redis', running.redisVersion);
    const loads = benchCase.loads(running.server, extent);
    count = loads.length;
    const due = loads.slice(done, benchCase.freshServers ? done + 1 : count);
    for (const load of due) await runLoad(results, load, { peer, round });
    done += due.length;
  }
}

interface Turn {
  readonly peer: Peer;
  readonly round: number;
}

async function runLoad(results: CaseResults, { script, job, limitMs }: Load, { peer, round }: Turn): Promise<void> {
  const report = await generateLoad(script, job, limitMs);
  for (const remark of report.remarks) note(results, `${peer.name}: ${remark}`);
  if (report.invalid !== null) {
    return note(results, `${peer.name}, run ${round + 1} is not counted: ${report.invalid}`);
  }
  if (report.readings.some(({ use }) => use && use.othersShare > quietShare)) note(results, notQuiet);
  results.add(peer.name, round, report.readings);
  for (const { measure, value } of report.readings) {
    console.error(`  run ${round + 1} · ${peer.name} · ${measure}: ${rounded(value)}`);
  }
}

function note(results: CaseResults, remark: string): void {
  if (results.remarks.has(remark)) return;
  results.remarks.add(remark);
  console.error(`  ${remark}`);
}

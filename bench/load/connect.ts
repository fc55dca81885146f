import { setTimeout as pause } from 'node:timers/promises';
import { processesOf, startProcessorWindow } from '../harness/processor-time.js';
import { endpointsOf } from './connections.js';
import { runLoad, type LoadReport, type Server, type Timing } from './job.js';
import { primaryReading } from './primary-reading.js';
import { RawClient, type Endpoint } from './raw-client.js';

export interface ConnectJob extends Timing {
  readonly measure: string;
  readonly server: Server;
  readonly inFlight: number;
}

const normalClosure = 1000;

/** Open, handshake, close, again: `inFlight` of them side by side. */
async function connections(job: ConnectJob): Promise<LoadReport> {
  const endpointOf = endpointsOf(job.server);
  const state = { opened: 0, refused: 0, running: true };
  const workers = Array.from({ length: job.inFlight }, async () => {
    while (state.running) {
      if (await openAndClose(endpointOf(state.opened))) state.opened += 1;
      else state.refused += 1;
    }
  });
  const finished = Promise.all(workers);
  stayAwake(() => state.running);
  await pause(job.warmUpMs);
  const openedBefore = state.opened;
  const endWindow = startProcessorWindow(processesOf(job.server.pid));
  await Promise.race([pause(job.windowMs), finished]);
  const use = endWindow();
  const opened = state.opened - openedBefore;
  state.running = false;
  await finished;
  return {
    readings: [
      {
        measure: job.measure,
        value: use.microseconds / opened,
        perSecond: (opened * 1_000) / use.elapsedMs,
        use,
      },
      ...primaryReading(`${job.measure}: primary`, use, opened),
    ],
    remarks: [],
    invalid: state.refused > 0 ? `${state.refused} connections were not closed with 1000` : null,
  };
}

/** Never waits for an event: a client that has to be woken would be paid for by the server that answers it. */
function stayAwake(isNeeded: () => boolean): void {
  if (isNeeded()) setImmediate(stayAwake, isNeeded);
}

/** A refused credential shows as another close code, since such an upgrade may complete first. */
async function openAndClose(endpoint: Endpoint): Promise<boolean> {
  const client = await RawClient.open(endpoint);
  await client.close();
  return client.closeCode === normalClosure;
}

await runLoad(connections);

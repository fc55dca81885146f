import { setTimeout as pause } from 'node:timers/promises';
import { processesOf, startProcessorWindow } from '../harness/processor-time.js';
import { Echoing, type EchoLoad } from './echoing.js';
import { runLoad, type LoadReport, type Timing } from './job.js';
import { primaryReading } from './primary-reading.js';

export interface EchoJob extends EchoLoad, Timing {
  readonly measure: string;
}

async function echo(job: EchoJob): Promise<LoadReport> {
  const echoing = await Echoing.start(job);
  await pause(job.warmUpMs);
  const repliesBefore = echoing.replies;
  const endWindow = startProcessorWindow(processesOf(job.server.pid));
  await pause(job.windowMs);
  const use = endWindow();
  const measured = echoing.replies - repliesBefore;
  return {
    readings: [
      {
        measure: job.measure,
        value: use.microseconds / measured,
        perSecond: (measured * 1_000) / use.elapsedMs,
        use,
      },
      ...primaryReading(`${job.measure}: primary`, use, measured),
    ],
    remarks: [],
    invalid: echoing.complaint(measured),
  };
}

await runLoad(echo);

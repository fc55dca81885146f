import { StopSignals } from './stop-signals.js';

// The first thing in the process. `import` statements are resolved before any code runs, so the rest is loaded by import().
const signals = new StopSignals({
  isUnderNpm: process.env.npm_lifecycle_event !== undefined,
  isWorker: process.env.GATEHOUSE_WORKER !== undefined,
});
const { run } = await import('./run.js');
await run(signals);

// Loaded with --import into the Node peers of the cases that ask for it, Gatehouse too: answers on LOOP_MONITOR_PORT with
// the longest turn of the event loop since the last answer, measured alike for all of them.
import { createServer } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const resolution = 1;

if (process.env.LOOP_MONITOR_PORT) {
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  const server = createServer((_request, response) => {
    // The histogram holds the time from one tick of its timer to the next.
    const longestMs = Math.max(0, delay.max / 1e6 - resolution);
    delay.reset();
    response.end(JSON.stringify({ longestMs }));
  });
  server.listen(Number(process.env.LOOP_MONITOR_PORT), '127.0.0.1');
  server.unref();
}

import { WebSocket } from 'ws';

export const SENSORS = ['feeder', 'press', 'oven', 'cooler', 'packer'];
const EVERY_MS = 100;
const RETRY_MS = 500;

/** Sensors that are not there: each is a client of the edge and sends ten readings a second. */
export function startSensors(url: string): Disposable {
  const sensors = SENSORS.map((sensor, index) => startSensor(url, sensor, index));
  return { [Symbol.dispose]: () => sensors.forEach((stop) => stop()) };
}

function startSensor(url: string, sensor: string, index: number): () => void {
  let socket: WebSocket | undefined;
  let retry: NodeJS.Timeout | undefined;
  let hasEnded = false;
  const open = (): void => {
    socket = new WebSocket(url, 'v1.json');
    // The server has not started yet, or has ended.
    socket.on('error', () => {});
    socket.on('close', () => {
      if (!hasEnded) retry = setTimeout(open, RETRY_MS);
    });
  };
  const timer = setInterval(() => {
    const data = { sensor, celsius: celsiusOf(sensor, index) };
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: 'sensor.reading', data }));
  }, EVERY_MS);
  open();
  return () => {
    hasEnded = true;
    clearInterval(timer);
    clearTimeout(retry);
    socket?.terminate();
  };
}

/** The oven is too hot for a while, again and again. */
function celsiusOf(sensor: string, index: number): number {
  const seconds = Date.now() / 1_000;
  const noise = Math.random() * 3;
  if (sensor === 'oven') return 72 + 12 * Math.sin(seconds / 3) + noise;
  return 20 + 9 * index + 4 * Math.sin(seconds / 4 + index) + noise;
}

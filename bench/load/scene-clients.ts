import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { countClosed, endpointsOf, openConnections } from './connections.js';
import { dataFrame, dialects } from './dialects.js';
import type { Server } from './job.js';
import { settled } from './publisher.js';
import type { RawClient } from './raw-client.js';
import { wordsOf, type SceneWay } from './scene-words.js';
import type { Move, Mover, World } from './scene-world.js';

/** Everyone in a world: those who move something, and those who look at it. */
export interface Scene extends AsyncDisposable {
  /** Numbers of the viewers whose bytes are counted and not read, and of those whose latencies are taken. */
  readonly counted: readonly number[];
  readonly sampled: readonly number[];
  /** Milliseconds from set to receipt. */
  readonly times: number[];
  move(mover: Mover, move: Move): void;
  /** Sends the moves so far. */
  endTurn(): void;
  look(): Promise<void>;
  /** Of all whose bytes are counted. */
  bytes(): number;
  closed(): number;
  /** Of those whose bytes are counted: how many have got nothing since `forget`. */
  silent(): number;
  /** Drops the latencies so far. */
  forget(): void;
}

export interface SceneSize {
  readonly server: Server;
  readonly viewers: number;
  readonly world: World;
}

export const publisherCount = 50;
const mostSamples = 20;
const viewersAtOnce = 50;
export const lookLimitMs = 30_000;

/** Which viewers are which. */
export function dividedViewers(viewers: number): Pick<Scene, 'counted' | 'sampled'> {
  const numbers = Array.from({ length: viewers }, (_, viewer) => viewer);
  const samples = Math.min(mostSamples, Math.ceil(viewers / 10));
  return { sampled: numbers.slice(0, samples), counted: numbers.slice(samples) };
}

export function publisherOf({ id }: Mover): number {
  return Number(id.split('-')[1]) % publisherCount;
}

/** A scene of a peer whose messages are text. */
export async function openScene({ server, viewers, world }: SceneSize, way: SceneWay): Promise<Scene> {
  const dialect = dialects[server.dialect];
  const words = wordsOf(way, dialect, world);
  const { counted, sampled } = dividedViewers(viewers);
  const publishers = await openConnections(server, publisherCount);
  const readers = await openConnections(server, counted.length);
  const times: number[] = [];
  const samples = await Promise.all(sampled.map((_, n) => openSample(server, n, (t) => times.push(t))));
  let due = publishers.map((): Buffer[] => []);
  let isHeard = heardSince(readers);
  return {
    counted,
    sampled,
    times,
    move: (mover, move) => void due[publisherOf(mover)]?.push(dataFrame(dialect, words.move(mover, move))),
    endTurn: () => {
      for (const [n, frames] of due.entries()) if (frames.length > 0) publishers[n]?.send(Buffer.concat(frames));
      due = publishers.map(() => []);
    },
    look: async () => {
      const isAnswered = heardSince(readers);
      for (const [n, viewer] of counted.entries()) {
        const frames = words.look(world.view(viewer)).map((text) => dataFrame(dialect, text));
        readers[n]?.send(Buffer.concat(frames));
        if (n % viewersAtOnce === 0) await pause(50);
      }
      for (const [n, viewer] of sampled.entries())
        for (const text of words.look(world.view(viewer))) samples[n]?.send(text);
      await settled(() => readers.every(isAnswered), lookLimitMs);
    },
    bytes: () => bytesOf(readers),
    closed: () => countClosed([...publishers, ...readers]) + samples.filter(isClosed).length,
    silent: () => readers.length - readers.filter(isHeard).length,
    forget: () => {
      times.splice(0);
      isHeard = heardSince(readers);
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of [...publishers, ...readers]) client.destroy();
      for (const sample of samples) sample.terminate();
    },
  };
}

export function bytesOf(readers: readonly RawClient[]): number {
  return readers.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
}

/** Whether a reader has got anything from now on. */
export function heardSince(readers: readonly RawClient[]): (reader: RawClient) => boolean {
  const before = new Map(readers.map((reader) => [reader, reader.bytesRead]));
  return (reader) => reader.bytesRead > (before.get(reader) ?? 0);
}

function isClosed({ readyState }: WebSocket): boolean {
  return readyState !== WebSocket.OPEN;
}

/** A viewer that reads each message. A thousand of these would take more processor time than the server. */
async function openSample(server: Server, index: number, taken: (milliseconds: number) => void): Promise<WebSocket> {
  const { port, dialect, token } = endpointsOf(server)(index);
  const { path, subprotocol, offersDeflate, greeting, heartbeatAnswer } = dialect;
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, subprotocol === null ? [] : [subprotocol], {
    perMessageDeflate: offersDeflate,
    ...(token !== null && { headers: { authorization: `Bearer ${token}` } }),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () => (greeting === null ? resolve() : socket.send(greeting.send)));
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (greeting !== null && text.startsWith(String(greeting.answer))) resolve();
      if (heartbeatAnswer !== null && text.length === 1) socket.send(heartbeatAnswer);
      const now = performance.now();
      for (const [, t] of text.matchAll(/"t":(\d+)/g)) taken(now - Number(t));
    });
  });
  return socket;
}

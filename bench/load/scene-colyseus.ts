import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { benchFolder } from '../peers/catalogue.js';
import { countClosed } from './connections.js';
import { dialects } from './dialects.js';
import { clientFrame, opcodes } from './frames.js';
import type { ServerAccess } from './job.js';
import { settled } from './publisher.js';
import { RawClient } from './raw-client.js';
import {
  bytesOf,
  dividedViewers,
  heardSince,
  lookLimitMs,
  publisherCount,
  publisherOf,
  type Scene,
  type SceneSize,
} from './scene-clients.js';
import type { Move, Mover } from './scene-world.js';

/** What peers/colyseus-client.mjs gives. */
interface ColyseusRoom {
  move(move: Mover & Move): void;
  onMoved(moved: (t: number) => void): void;
  leave(): Promise<unknown>;
}

interface ColyseusClient {
  readonly joinScene: (port: number, cells: readonly string[]) => Promise<ColyseusRoom>;
}

/** What a client answers when it has joined, and gets the state from then on. */
const joinedRoom = clientFrame(Buffer.of(10), opcodes.binary);
/** The head of an upgrade has 129 bytes. What follows says that the client has joined. */
const headBytes = 140;
const leaveMs = 1_000;

/** A room of Colyseus. A viewer says when it joins what it looks at. */
export async function openColyseus({ server, viewers, world }: SceneSize): Promise<Scene> {
  const { joinScene } = (await import(join(benchFolder, 'peers', 'colyseus-client.mjs'))) as ColyseusClient;
  const publishers: ColyseusRoom[] = [];
  while (publishers.length < publisherCount) publishers.push(await joinScene(server.port, []));
  const { counted, sampled } = dividedViewers(viewers);
  const readers: RawClient[] = [];
  const samples: ColyseusRoom[] = [];
  const times: number[] = [];
  let isHeard = heardSince(readers);
  return {
    counted,
    sampled,
    times,
    move: (mover, move) => publishers[publisherOf(mover)]?.move({ ...mover, ...move }),
    endTurn: () => {},
    look: async () => {
      for (const viewer of counted) readers.push(await openReader(server, world.view(viewer).cells));
      for (const viewer of sampled) {
        const sample = await joinScene(server.port, world.view(viewer).cells);
        sample.onMoved((t) => times.push(performance.now() - t));
        samples.push(sample);
      }
      await settled(() => readers.every(({ bytesRead }) => bytesRead > headBytes), lookLimitMs);
      const isAnswered = heardSince(readers);
      for (const reader of readers) reader.send(joinedRoom);
      await settled(() => readers.every(isAnswered), lookLimitMs);
    },
    bytes: () => bytesOf(readers),
    closed: () => countClosed(readers),
    silent: () => readers.length - readers.filter(isHeard).length,
    forget: () => {
      times.splice(0);
      isHeard = heardSince(readers);
    },
    [Symbol.asyncDispose]: async () => {
      for (const reader of readers) reader.destroy();
      await Promise.race([Promise.allSettled([...publishers, ...samples].map((room) => room.leave())), pause(leaveMs)]);
    },
  };
}

/** The matchmaking says where to connect. */
async function openReader({ port }: ServerAccess, cells: readonly string[]): Promise<RawClient> {
  const answer = await fetch(`http://127.0.0.1:${port}/matchmake/joinOrCreate/scene`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ cells }),
  });
  const { room, sessionId } = (await answer.json()) as {
    readonly room: { readonly processId: string; readonly roomId: string };
    readonly sessionId: string;
  };
  const path = `/${room.processId}/${room.roomId}?sessionId=${sessionId}`;
  return RawClient.open({ port, dialect: { ...dialects.colyseus, path }, token: null });
}

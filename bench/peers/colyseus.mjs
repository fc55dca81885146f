import { readFileSync } from 'node:fs';
import { matchMaker, Room, Server } from '@colyseus/core';
import { schema, StateView } from '@colyseus/schema';
import { WebSocketTransport } from '@colyseus/ws-transport';

const manifest = new URL('../node_modules/@colyseus/core/package.json', import.meta.url);
const Avatar = schema({ x: 'number', y: 'number', t: 'uint32' });
const State = schema({ avatars: { map: Avatar, view: true } });

/** A client sees the avatars in the cells that it names, as Colyseus filters for each client: by a view of its own. */
class Scene extends Room {
  autoDispose = false;
  patchRate = 50;
  state = new State();
  cells = new Map();

  onCreate() {
    this.onMessage('move', (_client, { id, cell, x, y, t }) => {
      const avatar = this.state.avatars.get(id) ?? this.enter(id, cell);
      Object.assign(avatar, { x, y, t });
    });
  }

  enter(id, cell) {
    const avatar = new Avatar();
    this.state.avatars.set(id, avatar);
    this.cells.set(cell, [...(this.cells.get(cell) ?? []), avatar]);
    for (const client of this.clients) if (client.userData?.has(cell)) client.view.add(avatar);
    return avatar;
  }

  onJoin(client, { cells = [] }) {
    client.userData = new Set(cells);
    client.view = new StateView();
    for (const cell of cells) for (const avatar of this.cells.get(cell) ?? []) client.view.add(avatar);
  }
}

// Clients of the load answer no pings.
const server = new Server({ greet: false, transport: new WebSocketTransport({ pingInterval: 0 }) });
server.define('scene', Scene);
await server.listen(Number(process.env.PORT), '127.0.0.1');
await matchMaker.createRoom('scene', {});
console.log(`ready colyseus ${JSON.parse(readFileSync(manifest, 'utf8')).version}`);

import { CanActivate, Inject, Injectable, Scope, UseGuards } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { eventually } from '../support/eventually.js';
import { feature } from '../support/feature.js';
import { connect, type Message } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

const noted: unknown[] = [];
beforeEach(() => {
  noted.length = 0;
});

@WebSocketGateway()
class WatchingGateway {
  private readonly name = 'watching';

  handleConnection(client: WebSocket, request: IncomingMessage): void {
    noted.push([this.name, 'connected', request.url]);
    client.send('{"type":"welcome"}');
  }

  handleDisconnect(_client: WebSocket, reason: unknown): void {
    noted.push([this.name, 'gone', reason]);
  }
}

@WebSocketGateway()
class ThrowingGateway {
  handleConnection(): never {
    throw new Error('thrown on connect');
  }

  handleDisconnect(): never {
    throw new Error('thrown on disconnect');
  }
}

@WebSocketGateway()
class RejectingGateway {
  async handleConnection(): Promise<never> {
    return Promise.reject(Object.freeze(new Error('rejected on connect')));
  }

  async handleDisconnect(): Promise<never> {
    return Promise.reject(new Error('rejected on disconnect'));
  }
}

@WebSocketGateway({ path: '/other' })
class OtherPathGateway {
  handleConnection(): void {
    noted.push('on the other path');
  }
}

@Injectable({ scope: Scope.REQUEST })
class Notebook {
  readonly id = randomUUID();
  readonly lines: unknown[] = [];

  constructor(@Inject(REQUEST) readonly client: WebSocket) {}
}

@Injectable({ scope: Scope.REQUEST })
class NotebookGuard implements CanActivate {
  constructor(private readonly notebook: Notebook) {}

  canActivate(): boolean {
    this.notebook.lines.push('guarded');
    return true;
  }
}

@RealtimeGateway()
class NotebookGateway {
  @WebSocketServer() server: { clients: Set<WebSocket> } | undefined;

  constructor(private readonly notebook: Notebook) {}

  handleConnection(): void {
    this.notebook.lines.push('connected');
  }

  handleDisconnect(): void {
    noted.push(this.notebook.lines);
  }

  @UseGuards(NotebookGuard)
  @SubscribeMessage('note')
  note(@MessageBody() line: string): object {
    this.notebook.lines.push(line);
    const { id, lines, client } = this.notebook;
    return { id, lines, isOpen: client.readyState === 1, clients: this.server?.clients.size };
  }

  @SubscribeMessage('note.fail')
  fail(): never {
    throw new Error(this.notebook.id);
  }
}

@Injectable({ scope: Scope.REQUEST })
class BrokenProvider {
  constructor() {
    throw new Error('cannot be made');
  }
}

@WebSocketGateway()
class BrokenGateway {
  constructor(private readonly broken: BrokenProvider) {}

  handleConnection(): void {}

  @SubscribeMessage('broken')
  answer(): unknown {
    return this.broken;
  }
}

describe('hooks of gateways', () => {
  it('are told of connection and disconnection, on their path only', async () => {
    await using server = await startTestServer({}, [feature([WatchingGateway, OtherPathGateway])]);
    await using client = await connect(`${server.url}?room=1`);
    expect(await client.next()).toEqual({ type: 'welcome' });
    client.socket.close(4000, 'enough');
    await eventually('the disconnection is told', () => noted.length === 2);
    expect(noted).toEqual([
      ['watching', 'connected', '/ws?room=1'],
      ['watching', 'gone', { code: 4000, reason: 'enough' }],
    ]);
  });

  it('end nothing by what they throw, at once or later', async () => {
    await using server = await startTestServer({}, [feature([ThrowingGateway, RejectingGateway, WatchingGateway])]);
    await using client = await connect(server.url);
    expect(await client.next()).toEqual({ type: 'welcome' });
    expect(await client.request('echo', 'still here')).toMatchObject({ data: 'still here' });
    client.socket.terminate();
    await eventually('all four are logged', () => {
      const log = JSON.stringify(server.logLines);
      return (
        ['thrown on connect', 'thrown on disconnect', 'rejected on disconnect'].every((text) => log.includes(text)) &&
        log.includes('RejectingGateway.handleConnection')
      );
    });
    expect(noted.at(-1)).toEqual(['watching', 'gone', { code: 1006, reason: '' }]);
    await using next = await connect(server.url);
    expect(await next.next()).toEqual({ type: 'welcome' });
  });
});

describe('request-scoped gateways', () => {
  const providers = [Notebook, NotebookGuard, NotebookGateway];

  it('live as long as their connection and know it as REQUEST, guards and hooks too', async () => {
    await using server = await startTestServer({}, [feature(providers)]);
    await using first = await connect(server.url);
    await using second = await connect(server.url);
    const one = await first.request('note', 'a', 1);
    expect(one).toMatchObject({ id: 1, data: { lines: ['connected', 'guarded', 'a'], isOpen: true, clients: 2 } });
    const two = await first.request('note', 'b', 2);
    expect(two.data).toMatchObject({ lines: ['connected', 'guarded', 'a', 'guarded', 'b'] });
    const other = await second.request('note', 'c', 3);
    expect(other.data).toMatchObject({ lines: ['connected', 'guarded', 'c'] });

    const idOf = ({ data }: Message): unknown => (data as { id: unknown }).id;
    expect(idOf(one)).toBe(idOf(two));
    expect(idOf(one)).not.toBe(idOf(other));
    second.socket.close();
    await eventually('the second one is told of its end', () => noted.length === 1);
    expect(noted).toEqual([['connected', 'guarded', 'c']]);
  });

  it('keep the order, and answer errors like all others', async () => {
    await using server = await startTestServer({}, [feature(providers)]);
    await using client = await connect(server.url);
    client.send({ type: 'note', id: 1, data: 'a' });
    client.send({ type: 'note.fail', id: 2 });
    client.send({ type: 'echo', id: 3 });
    expect([await client.next(), await client.next(), await client.next()]).toMatchObject([
      { id: 1 },
      { id: 2, code: 'INTERNAL_ERROR', message: 'Internal error' },
      { id: 3 },
    ]);
  });

  it('that cannot be made are INTERNAL_ERROR and end nothing', async () => {
    await using server = await startTestServer({}, [feature([BrokenProvider, BrokenGateway])]);
    await using client = await connect(server.url);
    expect(await client.request('broken', null, 'b')).toMatchObject({ id: 'b', code: 'INTERNAL_ERROR' });
    expect(await client.request('broken', null, 'c')).toMatchObject({ id: 'c', code: 'INTERNAL_ERROR' });
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });
});

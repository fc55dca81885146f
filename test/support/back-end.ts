import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OLD_SECRET = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;

export interface Asked {
  readonly type: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

export type Answer = (asked: Asked, response: ServerResponse, request: IncomingMessage) => unknown;

/** A back end that verifies every signature with the official library. What `answer` returns is sent as JSON. */
export class BackEnd implements AsyncDisposable {
  readonly asked: Asked[] = [];
  answer: Answer = () => ({});
  private readonly server = createServer((request, response) => void this.respond(request, response));

  static async start(): Promise<BackEnd> {
    const backEnd = new BackEnd();
    backEnd.server.listen(0, '127.0.0.1');
    await once(backEnd.server, 'listening');
    return backEnd;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/gatehouse?from=test`;
  }

  /** The events that it was told, in this order. */
  get told(): readonly Asked[] {
    return this.asked.filter(({ type }) => type === 'events').flatMap(({ data }) => data as unknown as Asked[]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const asked = new Webhook(OLD_SECRET).verify(body, request.headers as Record<string, string>) as Asked;
    new Webhook(SECRET).verify(body, request.headers as Record<string, string>);
    this.asked.push(asked);
    const answer = await this.answer(asked, response, request);
    if (response.writableEnded || answer === undefined) return;
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  }
}

/** A hooks file for one test, with one endpoint named app. */
export function hooksFile(url: string, sections: string, options = ''): Disposable & { HOOKS_FILE: string } {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-hooks-'));
  const path = join(folder, 'hooks.yaml');
  const endpoint = `{ url: '${url}', secrets: [${SECRET}, ${OLD_SECRET}]${options} }`;
  writeFileSync(path, `endpoints:\n  app: ${endpoint}\n${sections}\n`);
  return { HOOKS_FILE: path, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

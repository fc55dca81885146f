import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { TcpProxy } from '../test/support/tcp-proxy.js';
import { startSensors } from './edge-sensors.js';
import { bundledLibrary, type StateSite } from './state-site.js';

const PAGE = fileURLToPath(new URL('../examples/edge/index.html', import.meta.url));

interface EdgeSiteSetup {
  /** Between the edge and its centre. */
  readonly link: TcpProxy;
  /** Where pages reach the servers: `ws://127.0.0.1:8080/ws`. */
  readonly centre: string;
  readonly edge: string;
  /** 0: any that is free. */
  readonly port?: number;
}

/** Serves the page of examples/edge, what the edge says of itself, and the switch of its link. Its sensors send. */
export async function openEdgeSite({ link, centre, edge, port = 0 }: EdgeSiteSetup): Promise<StateSite> {
  const page = readFileSync(PAGE, 'utf8')
    .replace('ws://127.0.0.1:8080/ws', centre)
    .replace('ws://127.0.0.1:8081/ws', edge);
  const library = await bundledLibrary();
  const ready = edge.replace(/^ws/, 'http').replace(/\/ws$/, '/ready');
  const site = createServer(({ url, method }, response) => {
    if (url === '/state') {
      void sendState(response, ready, link);
      return;
    }
    if (method === 'POST' && (url === '/cut' || url === '/mend')) {
      link.refuses = url === '/cut';
      if (link.refuses) link.cut();
      void sendState(response, ready, link);
      return;
    }
    const isLibrary = url === '/client.js';
    response.setHeader('Content-Type', isLibrary ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isLibrary ? library : page);
  });
  const sensors = startSensors(edge);
  site.listen(port, '127.0.0.1');
  await once(site, 'listening');
  return {
    url: `http://127.0.0.1:${(site.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      sensors[Symbol.dispose]();
      site.closeAllConnections();
      site.close();
      await once(site, 'close');
    },
  };
}

async function sendState(response: ServerResponse, ready: string, link: TcpProxy): Promise<void> {
  // The edge may not have started yet, or have ended.
  const edge = await fetch(ready).then(
    async (answer) => ((await answer.json()) as { details?: { edge?: unknown } }).details?.edge,
    () => undefined,
  );
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ isCut: link.refuses, edge: edge ?? {} }));
}

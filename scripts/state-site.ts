import { build } from 'esbuild';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LIBRARY = `export * from './index.js'; export * from './state.js';`;

export const STATE_EXAMPLES = ['scene', 'fleet', 'twin'] as const;
export type StateExample = (typeof STATE_EXAMPLES)[number];

export interface StateSite extends AsyncDisposable {
  readonly url: string;
}

interface SiteSetup {
  readonly example: StateExample;
  /** Where pages reach the server: `ws://127.0.0.1:8080/ws`. */
  readonly server: string;
  /** 0: any that is free. */
  readonly port?: number;
}

/** Serves the page of an example, and the client library as `/client.js`. */
export async function openStateSite({ example, server, port = 0 }: SiteSetup): Promise<StateSite> {
  const page = readFileSync(`${ROOT}examples/${example}/index.html`, 'utf8').replace('ws://127.0.0.1:8080/ws', server);
  const library = await bundledLibrary();
  const site = createServer(({ url }, response) => {
    const isLibrary = url === '/client.js';
    response.setHeader('Content-Type', isLibrary ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isLibrary ? library : page);
  });
  site.listen(port, '127.0.0.1');
  await once(site, 'listening');
  return {
    url: `http://127.0.0.1:${(site.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      site.closeAllConnections();
      site.close();
      await once(site, 'close');
    },
  };
}

/** Compiles the module of an example that runs in the server, for FEATURES_FILE. */
export async function compileFeatures(entry: string, outfile: string): Promise<void> {
  const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } };
  await build({ entryPoints: [entry], outfile, format: 'esm', tsconfigRaw });
}

export async function bundledLibrary(): Promise<string> {
  const alias = { '@gatehouse/protocol': `${ROOT}packages/protocol/src/protocol.ts` };
  const stdin = { contents: LIBRARY, resolveDir: `${ROOT}packages/client/src` };
  const { outputFiles } = await build({ stdin, alias, bundle: true, format: 'esm', write: false });
  return outputFiles[0]?.text ?? '';
}

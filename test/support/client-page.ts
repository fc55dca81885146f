import { build, type BuildOptions } from 'esbuild';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { bundleOptions } from '../../packages/client/bundle.mjs';

const HOME = resolve('packages/client');

/** A site with one page, whose script uses the client library from its source. `await using` ends it. */
export interface ClientPage extends AsyncDisposable {
  readonly url: string;
}

/** @param script JavaScript that imports from `./src/`, as a file in packages/client would */
export async function serveClientPage(script: string): Promise<ClientPage> {
  const code = await bundle(script);
  const html = `<div id="root"></div><script type="module">${code.replaceAll('</script', '<\\/script')}</script>`;
  const site = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end(html));
  site.listen(0, '127.0.0.1');
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

async function bundle(contents: string): Promise<string> {
  const options: BuildOptions = bundleOptions(HOME);
  delete options.entryPoints;
  const { outputFiles } = await build({
    ...options,
    stdin: { contents, resolveDir: HOME, loader: 'js' },
    external: [],
    splitting: false,
    platform: 'browser',
    define: { 'process.env.NODE_ENV': '"development"' },
    write: false,
  });
  return (outputFiles ?? []).map(({ text }) => text).join('');
}

// Bundles the console into dist/console of the server, which serves these three files as they are.
import { build } from 'esbuild';
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = dirname(fileURLToPath(import.meta.url));
const outdir = process.argv[2] ?? join(home, '../../dist/console');

mkdirSync(outdir, { recursive: true });
await build({
  entryPoints: { console: join(home, 'src/main.tsx') },
  alias: {
    '@gatehouse/client': join(home, '../client/src/index.ts'),
    '@gatehouse/protocol': join(home, '../protocol/src/protocol.ts'),
  },
  bundle: true,
  minify: true,
  format: 'esm',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  // Browsers of the last three years.
  target: ['es2022', 'chrome110', 'firefox110', 'safari16'],
  logLevel: 'warning',
  outdir,
});
copyFileSync(join(home, 'src/index.html'), join(outdir, 'index.html'));

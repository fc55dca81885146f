// Bundles the console into dist/console of the server, which serves these three files as they are.
import { build } from 'esbuild';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = dirname(fileURLToPath(import.meta.url));
const outdir = process.argv[2] ?? join(home, '../../dist/console');

mkdirSync(outdir, { recursive: true });
const { outputFiles } = await build({
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
  write: false,
});
const files = [
  ...outputFiles.map(({ path, contents }) => ({ path, contents })),
  { path: join(outdir, 'index.html'), contents: readFileSync(join(home, 'src/index.html')) },
];
for (const { path, contents } of files) {
  // Renamed into place, so that a server that starts meanwhile never reads half a file.
  const part = `${path}.${process.pid}`;
  writeFileSync(part, contents);
  renameSync(part, path);
}

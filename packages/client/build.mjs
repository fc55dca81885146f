// Bundles each entry, with what it uses of @gatehouse/protocol: the package has no dependency at run time.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleOptions } from './bundle.mjs';

const home = dirname(fileURLToPath(import.meta.url));
const dist = join(home, 'dist');
const types = join(dist, 'types');

rmSync(dist, { recursive: true, force: true });
await build({ ...bundleOptions(home), outdir: dist, sourcemap: true });
execFileSync(process.execPath, [join(home, '../../node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: home,
  stdio: 'inherit',
});
// The declarations, too: those of the protocol lie beside those of the client.
for (const file of readdirSync(types, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.d.ts')) continue;
  const path = join(types, file);
  const protocol = relative(dirname(path), join(types, 'protocol/src/protocol.js')).replaceAll('\\', '/');
  const text = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    text.replaceAll("'@gatehouse/protocol'", `'${protocol.startsWith('.') ? protocol : `./${protocol}`}'`),
  );
}

/**
 * Makes one file of a function and its packages, with its namespaces beside it:
 * `npx tsx bundle.ts build/handler.js dist/handler.mjs config/channels.yaml`. It needs esbuild. Compile your TypeScript
 * with `tsc` first: esbuild writes no types of constructor parameters, by which Nest injects.
 */
import { build, type BuildOptions } from 'esbuild';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** In the runtime of Lambda. */
const OF_THE_RUNTIME = ['@aws-sdk/*'];
/** Nest and Gatehouse load these by import(), and never in a function. */
const NEVER_LOADED = [
  '@fastify/*',
  '@nestjs/microservices',
  '@nestjs/microservices/*',
  '@nestjs/platform-express',
  '@nestjs/platform-socket.io',
  'class-transformer/storage',
  'ioredis',
  '*/redis/connection/redis-link.js',
  '*/redis/redis-engine.js',
  '*/remote/remote-engine.js',
  '*/remote/remote-link.js',
];
/** CommonJS modules require Node's own. */
const REQUIRE = `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);`;

export function bundleOptions(entry: string, outfile: string): BuildOptions {
  return {
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    minify: true,
    // Nest names providers and log contexts by class.
    keepNames: true,
    // Read only when an error is logged: the template sets --enable-source-maps.
    sourcemap: true,
    sourcesContent: false,
    external: [...OF_THE_RUNTIME, ...NEVER_LOADED],
    banner: { js: REQUIRE },
    logLevel: 'warning',
  };
}

/** Where a function looks for CHANNELS_FILE, unless it is set. */
export async function addNamespaces(outfile: string, namespaces: string): Promise<void> {
  const folder = join(dirname(outfile), 'config');
  await mkdir(folder, { recursive: true });
  await copyFile(namespaces, join(folder, 'channels.yaml'));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [entry, outfile, namespaces] = process.argv.slice(2);
  if (entry === undefined || outfile === undefined || namespaces === undefined)
    throw new Error('Usage: npx tsx bundle.ts ENTRY OUTFILE NAMESPACES');
  await build(bundleOptions(entry, outfile));
  await addNamespaces(outfile, namespaces);
}

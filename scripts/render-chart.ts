import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CHART,
  chartDigest,
  chartSettings,
  digestOf,
  hasHelm,
  MANIFESTS,
  RENDERED,
  renderChart,
  valueSets,
} from './chart.js';
import { formatted } from './formatted.js';

const HEADER = `# Rendered from ${CHART}: change that, then \`npx tsx scripts/render-chart.ts\`, which needs Helm 3 or 4.\n`;
const HAND_WRITTEN = 'kustomization.yaml';

interface Schema {
  properties: Record<'settings' | 'secretSettings', { propertyNames: { enum: string[] } }>;
}

/** Which settings the chart knows, for values.schema.json refuses what is misspelt. */
async function writeSettings(): Promise<void> {
  const path = join(CHART, 'values.schema.json');
  const schema = JSON.parse(readFileSync(path, 'utf8')) as Schema;
  const { settings, secretSettings } = chartSettings();
  schema.properties.settings.propertyNames.enum = settings;
  schema.properties.secretSettings.propertyNames.enum = secretSettings;
  await write(path, JSON.stringify(schema, undefined, 2));
}

async function writeManifests(): Promise<void> {
  mkdirSync(MANIFESTS, { recursive: true });
  mkdirSync(RENDERED, { recursive: true });
  const old = readdirSync(MANIFESTS).filter((name) => name !== HAND_WRITTEN);
  for (const name of old) rmSync(join(MANIFESTS, name));
  const written: string[] = [];
  for (const [name, manifest] of renderChart()) {
    written.push(await write(join(MANIFESTS, name), `${HEADER}${manifest}\n`));
  }
  for (const [name, path] of valueSets()) {
    const manifests = [...renderChart(`--values=${path}`).values()].join('\n---\n');
    written.push(await write(join(RENDERED, `${name}.yaml`), `${HEADER}${manifests}\n`));
  }
  const checksums = { chart: chartDigest(), manifests: digestOf(written.toSorted()) };
  await write(join(RENDERED, 'checksums.json'), JSON.stringify(checksums));
}

async function write(path: string, text: string): Promise<string> {
  writeFileSync(path, await formatted(path, text));
  return path;
}

await writeSettings();
if (hasHelm()) await writeManifests();
else
  process.stdout.write(
    'There is no Helm (npm run test:setup brings it): only the settings of values.schema.json are written\n',
  );

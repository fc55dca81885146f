import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { DEFINITIONS } from './definitions.js';
import type { Setting } from './setting.js';

const HEADER = `# Every setting of Gatehouse, with its unit, default and effect. Copy to .env and uncomment what you change.
# Made from config/definitions/ by \`npm run env:example\`; a test keeps it true.
`;

/** The text of .env.example. */
export function renderEnvExample(): string {
  const groups = Object.entries(DEFINITIONS).map(([name, settings]) => {
    const entries = Object.values(settings).map((setting: Setting<unknown>) => renderSetting(setting));
    return `# --- ${name} ---\n\n${entries.join('\n')}`;
  });
  return `${HEADER}\n${groups.join('\n')}`;
}

function renderSetting(setting: Setting<unknown>): string {
  const fallback = setting.fallback === undefined ? 'unset' : setting.fallback === '' ? 'empty' : setting.fallback;
  return `# ${setting.effect}\n# (${setting.unit}; default: ${fallback})\n#${setting.env}=${setting.fallback ?? ''}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync('.env.example', renderEnvExample());

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SETTING_NAMES } from '../../config/definitions.js';
import { loadSettings } from '../../config/settings.js';
import { TEST_ENVIRONMENT } from '../support/test-server.js';

const UNIT = readFileSync('deploy/systemd/gatehouse-edge.service', 'utf8');

function valuesOf(key: string): string[] {
  return [...UNIT.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);
}

it('the systemd unit sets only settings that exist', () => {
  const names = valuesOf('Environment').map((each) => each.split('=')[0] ?? '');
  expect(names).toContain('EDGE_DIR');
  expect(names.filter((name) => !SETTING_NAMES.has(name))).toEqual([]);
});

it('the systemd unit lets the server drain before it is killed, and write in its store alone', () => {
  const { drainTimeoutMs } = loadSettings(TEST_ENVIRONMENT).lifecycle;
  expect(Number(valuesOf('TimeoutStopSec')[0]) * 1_000).toBeGreaterThan(drainTimeoutMs);
  expect(valuesOf('ProtectSystem')).toEqual(['strict']);
  expect(valuesOf('StateDirectory')).toEqual(['gatehouse']);
  expect(valuesOf('Environment')).toContain('EDGE_DIR=%S/gatehouse');
});

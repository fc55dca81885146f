import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../config/version.js';
import { LoadMeter } from '../../src/lifecycle/load-meter.js';
import { api } from '../support/api-client.js';
import { buildConsole, consolePage, visit } from '../support/console-page.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { connect, type TestClient } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';

/** Set by `npm run docs:screenshots`: the folder of the pictures. */
const folder = process.env.CONSOLE_SCREENSHOTS ?? '';
const PEOPLE = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy', 'ken', 'laura'];
const TEXTS = [
  'Good morning',
  'Is the build green?',
  'It is',
  'Then let us ship it',
  'Lunch?',
  'In ten minutes',
  'On my way',
];
const STEPS = 110;

const STEP_MS = 60;
const HOUR_MS = 3_600_000;

/** What the clients send in one step. */
function sendStep(clients: readonly TestClient[], step: number): void {
  const wave = 3 + Math.round(2.5 * Math.sin(step / 9) + Math.random() * 1.5);
  for (let n = 0; n < wave; n += 1) {
    const client = clients[(step * 5 + n) % clients.length];
    const text = TEXTS[(step + n) % TEXTS.length];
    if (n === 0) client?.send({ type: 'publish', id: step, data: { channel: 'room:lobby', data: { text } } });
    client?.send({ type: 'echo', id: `${step}.${n}`, data: text });
  }
}

/** Clients go on sending, so that the newest rates of a picture are not zero. */
function goOn(clients: readonly TestClient[]): Disposable {
  let step = STEPS;
  const timer = setInterval(() => sendStep(clients, step++), STEP_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Edge nodes as they report: two that are well, one that catches up, and one that has left. */
async function connectEdges(nodes: TestNodes): Promise<readonly TestClient[]> {
  const reports = [
    { sessions: 24, users: 22, forwarded: 48_210 },
    { sessions: 31, users: 30, forwarded: 51_932 },
    { sessions: 18, users: 18, forwarded: 9_120, queuedMessages: 12_400, queuedBytes: 3_720_000, oldestMs: 2_340_000 },
    { sessions: 6, users: 6, forwarded: 310, dropped: 42 },
  ];
  const edges = await Promise.all(
    reports.map(async (report, index) => {
      const claims = { sub: ['berlin-1', 'berlin-2', 'hamburg-1', 'truck-17'][index] ?? '', roles: ['EDGE'] };
      const edge = await connect(nodes.at(index % 2).url, { claims });
      const nothing = { queuedMessages: 0, queuedBytes: 0, expired: 0, dropped: 0, refused: 0, damaged: 0 };
      const counts = { channels: 8, subscriptions: report.sessions, store: 'ok' };
      const start = { release: VERSION, startedAt: Date.now() - HOUR_MS };
      await edge.request('edge.report', { ...start, ...counts, ...nothing, ...report });
      return edge;
    }),
  );
  await edges[3]?.[Symbol.asyncDispose]();
  return edges.slice(0, 3);
}

/** Ten minutes pass in the seconds that this takes. */
async function traffic(nodes: TestNodes, clients: readonly TestClient[]): Promise<void> {
  for (let step = 0; step < STEPS; step += 1) {
    sendStep(clients, step);
    await new Promise((next) => setTimeout(next, STEP_MS));
    for (const index of [0, 1]) {
      for (let sample = 0; sample < 10; sample += 1) nodes.get(index, LoadMeter).emit('measured');
    }
  }
}

describe.skipIf(folder === '')('pictures of the console', { tags: ['chromium', 'redis'] }, () => {
  it('are taken of each page', async () => {
    buildConsole();
    mkdirSync(folder, { recursive: true });
    using file = namespacesFile({
      room: 'subscribe: signed_in, publish: signed_in, presence: true, history: { size: 100, age: 1h }, ledger: true',
      feed: 'subscribe: anyone, history: { size: 50, age: 1d }',
    });
    await using nodes = await TestNodes.start(['node-1', 'node-2'], { ...file.environment, EDGE_CENTRE: 'on' });
    const clients = await Promise.all(
      [...PEOPLE, ...PEOPLE.slice(0, 6)].map((sub, index) =>
        connect(nodes.at(index % 2).url, { claims: { sub, roles: ['MEMBER'] } }),
      ),
    );
    for (const [index, client] of clients.entries()) {
      for (const channel of ['room:lobby', index % 3 === 0 ? 'room:support' : 'feed:news']) {
        client.send({ type: 'subscribe', id: 's', data: { channel } });
      }
    }
    await traffic(nodes, clients);
    await api(nodes.at(0), 'POST /api/bans', {
      body: { kind: 'user', key: 'mallory', durationMs: 3_600_000, reason: 'Floods the lobby' },
    });
    await using console = await consolePage();
    const { page } = console;
    await page.setViewportSize({ width: 1280, height: 820 });
    await console.open(nodes.at(0));
    const take = async (name: string): Promise<void> => {
      await expect.poll(() => page.getByText('Loading…').count()).toBe(0);
      await page.waitForTimeout(400);
      await page.screenshot({ path: join(folder, `console-${name}.png`), animations: 'disabled' });
    };
    const go = (path: string): Promise<void> => visit(page, path);
    await page.getByText('Healthy.').waitFor();
    const load = goOn(clients);
    // The busiest sessions of a second, and a step of the rates.
    await page.getByRole('region', { name: 'Busiest sessions' }).getByRole('row').nth(2).waitFor();
    await page.waitForTimeout(6_000);
    await take('overview');
    await page.emulateMedia({ colorScheme: 'dark' });
    await take('overview-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    load[Symbol.dispose]();
    await go('sessions?q=');
    await page.getByRole('row').nth(3).waitFor();
    await take('sessions');
    await go('sessions?q=alice');
    await page
      .getByRole('link', { name: /^[\da-f]{8}$/ })
      .first()
      .click();
    await page.getByRole('heading', { name: 'Other sessions' }).waitFor();
    await page.getByRole('link', { name: 'room:lobby' }).waitFor();
    await take('session');
    await go('channel/room%3Alobby');
    await page.getByRole('link', { name: 'Explain' }).first().waitFor();
    await take('channel');
    const edges = await connectEdges(nodes);
    await go('edges');
    await page.getByText('truck-17: away').waitFor();
    await take('edges');
    await go('explain?userId=alice&channel=room:lobby&seq=42');
    await page.getByRole('list').filter({ hasText: 'published' }).waitFor();
    await take('explain');
    await go('messages/publish');
    await page.getByRole('heading', { name: 'Schema' }).waitFor();
    await page.getByLabel('Data, JSON or text').fill('{ "channel": "feed:news", "data": { "text": "Hello" } }');
    await take('messages');
    await tap(page, nodes, clients);
    await take('tap');
    await go('operations');
    await page.getByText('mallory').first().waitFor();
    await page.getByRole('heading', { name: 'Audit' }).waitFor();
    await take('operations');
    await page.setViewportSize({ width: 390, height: 844 });
    await go('sessions?q=alice');
    await page.getByText('node-1').first().waitFor();
    await take('phone');
    await Promise.all([...clients, ...edges].map((client) => client[Symbol.asyncDispose]()));
  });
});

async function tap(page: Page, nodes: TestNodes, clients: readonly TestClient[]): Promise<void> {
  await visit(page, 'tap?userId=alice');
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Show payloads…' }).click();
  await page.getByRole('button', { name: 'Show payloads', exact: true }).click();
  await page.waitForTimeout(500);
  for (const [index, text] of TEXTS.entries()) {
    const data = { channel: 'room:lobby', data: { text } };
    clients[index % 3]?.send({ type: 'publish', id: index, data });
  }
  clients[0]?.send({ type: 'nonsense', id: 'x' });
  await page.getByText('UNKNOWN_MESSAGE_TYPE').first().waitFor();
  await api(nodes.at(0), 'POST /api/users/alice/messages', { body: { data: { text: 'Your order has shipped' } } });
  await page.waitForTimeout(500);
}

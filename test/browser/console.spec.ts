// @module-tag chromium
// @module-tag redis
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { api } from '../support/api-client.js';
import { buildConsole, consolePage, OPERATOR, visit as visitPage, type ConsolePage } from '../support/console-page.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile, type NamespacesFile } from '../support/namespaces-file.js';
import { connect, type TestClient } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';
import { mintToken, startTestServer } from '../support/test-server.js';

/** By default enough for several pages on both nodes; `npm run test:soak` connects 5,000. */
const CROWD = Number(process.env.CONSOLE_SESSIONS ?? 120);
/** As many handshakes as a server takes at once without refusing any. */
const AT_ONCE = 100;
/** With their headings. */
const PAGES: readonly (readonly [path: string, heading: string])[] = [
  ['overview', 'Overview'],
  // A table of ten: with more of the same rows, axe-core takes seconds.
  ['sessions?q=crowd-000', 'Sessions'],
  ['channels', 'Channels'],
  ['channel/room%3Aa', 'room:a'],
  ['edges', 'Edges'],
  ['explain', 'Explain'],
  ['messages', 'Requests'],
  ['tap', 'Tap'],
  ['operations', 'Operations'],
];
const HOSTILE = ['<img src=x onerror=alert(1)>', '\u202Eevil\u2066', 'x'.repeat(10_240), '\u001b[31mred\u0000'];
const EDGE_REPORT = {
  release: '0.1.0',
  startedAt: 1_795_363_200_000,
  sessions: 0,
  users: 0,
  channels: 0,
  subscriptions: 0,
  queuedMessages: 0,
  queuedBytes: 0,
  store: 'ok',
  forwarded: 0,
  expired: 0,
  dropped: 0,
  refused: 0,
  damaged: 0,
};
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Finding {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

let file: NamespacesFile;
let nodes: TestNodes;
let browser: ConsolePage;
let page: Page;
let crowd: readonly TestClient[];
/** Whether the page shows the console to the operator, as the test before has left it. */
let isOpen = false;

beforeAll(async () => {
  buildConsole();
  file = namespacesFile({
    room: 'subscribe: anyone, publish: anyone, presence: true, history: { size: 100, age: 1h }, ledger: true',
  });
  nodes = await TestNodes.start(['node-1', 'node-2'], { ...file.environment, EDGE_CENTRE: 'on' });
  crowd = await connectCrowd();
  browser = await consolePage();
  ({ page } = browser);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await Promise.all(crowd.map((client) => client[Symbol.asyncDispose]()));
  await nodes[Symbol.asyncDispose]();
  file[Symbol.dispose]();
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') isOpen = false;
  const own = new URL(nodes.at(0).http).host;
  expect([...browser.origins].filter((host) => host !== own && host !== '')).toEqual([]);
});

function connectTo(index: number, sub: string): Promise<TestClient> {
  return connect(nodes.at(index).url, { claims: { sub } });
}

async function connectCrowd(): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  while (clients.length < CROWD) {
    const names = Array.from({ length: Math.min(AT_ONCE, CROWD - clients.length) }, (_, n) => clients.length + n);
    clients.push(...(await Promise.all(names.map((n) => connectTo(n % 2, `crowd-${String(n).padStart(4, '0')}`)))));
  }
  return clients;
}

async function idOf(client: TestClient): Promise<string> {
  return ((await client.request('hello')).data as { sessionId: string }).sessionId;
}

function visit(path: string): Promise<void> {
  return visitPage(page, path);
}

/** Loads the console only where it must: that takes a second of processor time. */
async function show(path: string): Promise<void> {
  if (isOpen && !page.url().endsWith(`#/${path}`)) return visit(path);
  await browser.open(nodes.at(0), path);
  isOpen = true;
}

async function confirm(verb: string): Promise<string> {
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  const text = (await dialog.textContent()) ?? '';
  await dialog.getByRole('button', { name: verb, exact: true }).click();
  return text;
}

describe('signing in', () => {
  it('works by the fragment of the link, which then stands neither in the address nor in the history', async () => {
    await browser.open(nodes.at(0));
    await page.getByText('Healthy.').waitFor();
    expect(page.url()).not.toContain('token');
    await page.goBack();
    expect(page.url()).not.toContain('token');
  });

  it('works by paste, is kept in the tab, and ends with it', async () => {
    await browser.open(nodes.at(0));
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').fill(`Bearer ${mintToken(OPERATOR)}`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Healthy.').waitFor();
    await page.reload();
    await page.getByText('Healthy.').waitFor();
    expect(await page.evaluate('[sessionStorage.length, localStorage.length, document.cookie]')).toEqual([1, 0, '']);
  });

  it.each([
    ['is no token', 'nonsense', 'Invalid token'],
    ['has expired', mintToken({ ...OPERATOR, exp: 1 }), 'Token expired'],
  ])('says so if what was pasted %s', async (_what, text, reason) => {
    await browser.open(nodes.at(0));
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').fill(text);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').filter({ hasText: reason }).waitFor();
    await page.getByLabel('Token').waitFor();
  });

  it('without a role that may look shows why, and nothing else', async () => {
    await browser.open(nodes.at(0), 'sessions', { sub: 'bob', roles: ['MEMBER'] });
    await page.getByRole('alert').filter({ hasText: 'Insufficient privileges' }).waitFor();
    expect(await page.getByRole('table').count()).toBe(0);
  });

  it('as VIEWER shows everything and offers no act', async () => {
    await browser.open(nodes.at(0), 'overview', { sub: 'onlooker', roles: ['VIEWER'] });
    await page.getByText('read only').waitFor();
    await page.getByText('Healthy.').waitFor();
    await visit(`session/${await idOf(crowd[0] ?? expect.fail())}`);
    await page.getByText('crowd-0000').first().waitFor();
    await visit('operations');
    await page.getByText('Nobody is banned.').waitFor();
    expect(await page.getByRole('button', { name: /Drain|End|Ban|Revoke|Publish|Lift/ }).count()).toBe(0);
  });
});

describe('a person who looks', () => {
  it('finds a user among many on two nodes, with the key / and page by page', async () => {
    await show('overview');
    await page.getByText('Healthy.').waitFor();
    await page.keyboard.press('/');
    await page.getByRole('heading', { name: 'Sessions' }).waitFor();
    const seen = new Set<string>();
    const next = page.getByRole('button', { name: 'Next page' });
    for (;;) {
      const range = /^[\d,]+–[\d,]+/.exec((await page.getByText(/^[\d,]+–[\d,]+/).textContent()) ?? '')?.[0];
      // The last page may hold nothing but the session of the console itself.
      const rows = page.getByRole('row').filter({ hasText: 'crowd-' });
      for (const text of await rows.allTextContents()) seen.add(/crowd-\d+/.exec(text)?.[0] ?? '');
      if (await next.isDisabled()) break;
      await next.click();
      await page.waitForFunction(`!document.body.textContent.includes(${JSON.stringify(range)})`);
    }
    expect(seen.size).toBe(CROWD);
    await page.keyboard.press('/');
    await page.keyboard.type('crowd-007');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('row').filter({ hasText: 'crowd-' }).count()).toBe(10);
    await page.getByRole('searchbox').fill('127.0.0.1');
    await page.getByRole('button', { name: 'Search' }).click();
    await expect.poll(() => page.getByRole('row').count()).toBeGreaterThan(40);
    await visit('sessions?q=nobody-here');
    await page.getByText('Nobody is connected as “nobody-here”').waitFor();
  });

  it('sees on the overview who sends the most', async () => {
    await using flooder = await connectTo(1, 'flooder');
    await show('overview');
    const traffic = setInterval(() => flooder.send({ type: 'ping' }), 20);
    const row = page.getByRole('region', { name: 'Busiest sessions' }).getByRole('row').filter({ hasText: 'flooder' });
    await row.getByRole('link').click();
    clearInterval(traffic);
    await page.getByRole('button', { name: 'Ban user…' }).waitFor();
  });

  it('taps a user of another node, follows one message to its delivery, and has it explained', async () => {
    await using alice = await connectTo(1, 'alice');
    await alice.request('subscribe', { channel: 'room:followed' });
    await show('tap?userId=alice');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('on node-1, node-2').waitFor();
    await api(nodes.at(0), 'POST /api/publish', { body: { channel: 'room:followed', data: { text: 'secret words' } } });
    const line = page.getByRole('listitem').filter({ hasText: 'room:followed' });
    await line.first().waitFor();
    expect(await line.first().textContent()).toMatch(/out.*message.*sent.*alice.*room:followed 1.*node-2/);
    expect(await page.textContent('body')).not.toContain('secret words');
    await page.getByRole('button', { name: 'Show payloads…' }).click();
    expect(await confirm('Show payloads')).toContain('audit log');
    await page.getByRole('button', { name: 'Show payloads…' }).waitFor({ state: 'detached' });
    await alice.request('publish', { channel: 'room:followed', data: { text: 'in the open' } });
    await page.getByText('in the open').first().waitFor();
    await line
      .first()
      .getByRole('link', { name: /room:followed/ })
      .click();
    await page.getByRole('main').getByRole('link', { name: 'Explain' }).first().click();
    await page.getByRole('link', { name: 'alice', exact: true }).click();
    await page.getByText('delivered on node-2').waitFor();
  });

  it('explains a message without knowing its position, and says where a user is who was not in the channel', async () => {
    await using erin = await connectTo(1, 'erin');
    await erin.request('subscribe', { channel: 'room:elsewhere' });
    await api(nodes.at(0), 'POST /api/publish', { body: { channel: 'room:missed', data: { text: 'for nobody' } } });
    await show('explain');
    await page.getByLabel('User').fill('erin');
    await page.getByLabel('Channel').fill('room:missed');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByRole('region', { name: 'Which message?' }).getByRole('link', { name: 'Explain' }).click();
    await page.getByText('not subscribed on node-2').waitFor();
    await page.getByRole('link', { name: 'room:elsewhere' }).waitFor();
  });

  it('taps from a link at once, and otherwise opens no connection before the first tap', async () => {
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    // A load of the page: the tap of another test is still connected.
    await browser.open(nodes.at(0), 'tap?channel=room%3Alinked');
    await page.getByRole('button', { name: 'Start' }).waitFor();
    await visit('channel/room%3Alinked');
    await page.getByText('No message is kept').waitFor();
    expect(sockets).toEqual([]);
    await page.getByRole('link', { name: 'Tap this channel' }).click();
    await page.getByRole('heading', { name: 'Traffic of channel room:linked' }).waitFor();
    expect(sockets).toHaveLength(1);
  });

  it('reads a long message whole, in rows that hold still under the mouse', async () => {
    const publish = (text: string): Promise<unknown> =>
      api(nodes.at(0), 'POST /api/publish', { body: { channel: 'room:held', data: { text } } });
    await publish(`${'long '.repeat(100)}end`);
    await show('channel/room%3Aheld');
    const rows = page.getByRole('region', { name: 'Messages, the newest first' }).getByRole('row');
    await rows.filter({ hasText: 'long' }).locator('summary').click();
    await page.getByText('end"').waitFor();
    await page.getByText('paused while you point at it').waitFor();
    await publish('short');
    for (let reads = 0; reads < 2; reads += 1) await page.waitForResponse(/\/history/);
    expect(await rows.filter({ hasText: 'short' }).count()).toBe(0);
    await page.getByRole('heading', { level: 1 }).hover();
    await rows.filter({ hasText: 'short' }).waitFor();
  });

  it('tries a message of the contract over a real connection', async () => {
    await show('messages/echo');
    await page.getByLabel('Data, JSON or text').fill('{"text":"there and back"}');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('status').filter({ hasText: 'there and back' }).waitFor();
    await page.getByText("client.request('echo'").waitFor();
  });

  it('finds the page of edge nodes where there are any, with what each says of itself', async () => {
    await show('overview');
    const link = page.getByRole('navigation', { name: 'Pages', exact: true }).getByRole('link', { name: 'Edges' });
    await page.getByText('Healthy.').waitFor();
    expect(await link.count()).toBe(0);
    await visit('edges');
    await page.getByText('No edge node is connected').waitFor();
    const edgeOf = async (index: number, sub: string, report: object): Promise<TestClient> => {
      const edge = await connect(nodes.at(index).url, { claims: { sub, roles: ['EDGE'] } });
      await edge.request('edge.report', { ...EDGE_REPORT, ...report });
      return edge;
    };
    await using well = await edgeOf(0, 'line-1', { sessions: 24, forwarded: 48_210 });
    await page.getByText('Connected. The edge takes messages.').waitFor();
    await using full = await edgeOf(1, '<b>line-2', {
      queuedMessages: 7,
      queuedBytes: 2_048,
      oldestMs: 90_000,
      dropped: 3,
    });
    const row = (name: string) =>
      page.getByRole('region', { name: 'Edges' }).getByRole('row').filter({ hasText: name });
    await row('<b>line-2').filter({ hasText: 'node-2' }).filter({ hasText: '7 (2 KiB)' }).waitFor();
    await row('<b>line-2').filter({ hasText: '1 min' }).filter({ hasText: '3 dropped' }).waitFor();
    await full[Symbol.asyncDispose]();
    await row('<b>line-2').filter({ hasText: 'away' }).waitFor();
    await page.getByText('<b>line-2: away').waitFor();
    await visit('overview');
    await link.click();
    await row('line-1').filter({ hasText: '48,210' }).getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: 'line-1' }).waitFor();
    expect(page.url()).toContain(await idOf(well));
  });

  it('sees names and payloads of strangers as plain text', async () => {
    const clients = await Promise.all(HOSTILE.map((sub) => connectTo(0, sub.slice(0, 256))));
    for (const [index, client] of clients.entries()) {
      await client.request('publish', { channel: 'room:hostile', data: { text: HOSTILE[index] } });
      await client.request('subscribe', { channel: 'room:hostile' });
    }
    const before = browser.complaints.length;
    await show('channel/room%3Ahostile');
    await page.getByText('<img src=x').first().waitFor();
    await page.getByText('\\u{202e}evil\\u{2066}').first().waitFor();
    await page.getByText('\\u{1b}[31mred\\u{0}').first().waitFor();
    await visit('sessions?q=%3Cimg');
    await page.getByRole('row').filter({ hasText: '<img' }).waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(browser.complaints.slice(before)).toEqual([]);
    const fits = await page.evaluate('document.documentElement.scrollWidth <= innerWidth');
    expect(fits).toBe(true);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });
});

describe('every page', () => {
  beforeAll(async () => {
    isOpen = false;
    await show('explain');
    // Playwright runs it outside the rules of the page, which allow no foreign script.
    await page.evaluate(`${AXE}; undefined`);
  });

  it.each(PAGES)('%s has no serious finding of axe-core, light or dark, and fits on a phone', async (path, heading) => {
    await visit(path);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    await expect.poll(() => page.getByText('Loading…').count()).toBe(0);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const rules = colorScheme === 'light' ? '' : `{ runOnly: ['color-contrast'] }`;
      const found = await page.evaluate<Finding[]>(`axe.run(${rules}).then(({ violations }) => violations)`);
      const serious = found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(serious.map(({ id, nodes: [first] }) => `${id}: ${first?.html}`)).toEqual([]);
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 375, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(375);
    await page.setViewportSize({ width: 1280, height: 800 });
  });
});

describe('a person who acts', () => {
  it('ends one session, and sees that it has gone', async () => {
    await using bob = await connectTo(1, 'bob');
    await show(`session/${await idOf(bob)}`);
    await page.getByRole('button', { name: 'End session…' }).click();
    expect(await confirm('End session')).toContain('1 session closes with 4409');
    expect((await bob.closed).code).toBe(4409);
    await page.getByText('This session has ended').waitFor();
    await page.getByText('The user has no open session.').waitFor();
    await expect.poll(() => page.getByRole('alert').count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Tap this session' }).count()).toBe(0);
  });

  it('bans a user, is told first on how many sessions, and lifts the ban', async () => {
    await using here = await connectTo(0, 'mallory');
    await using there = await connectTo(1, 'mallory');
    await show(`session/${await idOf(here)}`);
    await page.getByRole('button', { name: 'Ban user…' }).click();
    expect(await confirm('Ban')).toContain('2 sessions of mallory on all nodes will close');
    expect([(await here.closed).code, (await there.closed).code]).toEqual([4409, 4409]);
    const note = page.getByRole('listitem').filter({ hasText: 'mallory is banned until' });
    await note.getByRole('button', { name: 'Lift…' }).waitFor();
    await visit('sessions?q=mallory');
    await note.waitFor();
    await visit('operations');
    await page.getByRole('row').filter({ hasText: 'mallory' }).getByRole('button', { name: 'Lift…' }).click();
    await confirm('Lift');
    await page.getByText('Nobody is banned.').waitFor();
    await page.getByRole('row').filter({ hasText: 'DELETE' }).or(page.getByText('ban_lifted')).first().waitFor();
  });

  it('publishes no broken JSON, asks before it publishes, and sees what happened for some seconds', async () => {
    await using here = await connectTo(0, 'dave');
    await here.request('subscribe', { channel: 'room:typed' });
    await show('channel/room%3Atyped');
    const field = page.getByLabel('Data, JSON or text');
    const told = page.getByRole('status');
    await field.fill('{"text": oops');
    await page.getByRole('button', { name: 'Publish…' }).click();
    await told.filter({ hasText: 'Nothing was sent: the data begins as JSON' }).waitFor();
    await visit('channels');
    await page.getByRole('heading', { name: 'Channels' }).waitFor();
    await told.filter({ hasText: 'Nothing was sent' }).waitFor({ state: 'detached' });
    await visit('channel/room%3Atyped');
    await field.fill('plain words');
    await page.getByRole('button', { name: 'Publish…' }).click();
    expect(await confirm('Publish')).toContain('1 session on all nodes will get it');
    await told.filter({ hasText: 'Published at position 1.' }).waitFor();
    await page.getByRole('cell', { name: 'plain words' }).waitFor();
    await told.filter({ hasText: 'Published' }).waitFor({ state: 'detached' });
  });

  it('bans by name, is told first for how long, and finds the form empty again', async () => {
    await using ivan = await connectTo(1, 'ivan');
    await show('operations');
    const field = page.getByLabel('User or address');
    await field.fill('   ');
    await page.getByRole('button', { name: 'Ban…' }).click();
    expect(await page.getByRole('dialog').count()).toBe(0);
    await field.fill('ivan');
    await page.getByRole('button', { name: 'Ban…' }).click();
    expect(await confirm('Ban')).toContain(
      '1 session on all nodes will close, and the user cannot connect for 60 minutes',
    );
    expect((await ivan.closed).code).toBe(4409);
    await page.getByRole('status').filter({ hasText: 'ivan is banned for 60 minutes. 1 session ended.' }).waitFor();
    expect(await field.inputValue()).toBe('');
    await page.getByRole('row').filter({ hasText: 'ivan' }).getByRole('button', { name: 'Lift…' }).click();
    await confirm('Lift');
    await page.getByText('Nobody is banned.').waitFor();
  });

  it('does nothing if the question is cancelled', async () => {
    await using carol = await connectTo(0, 'carol');
    await show(`session/${await idOf(carol)}`);
    const end = page.getByRole('button', { name: 'End session…' });
    const question = page.getByRole('dialog');
    await end.click();
    // A key that comes before the question closes nothing, and the question then covers the button.
    await question.waitFor();
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    await end.click();
    await question.getByRole('button', { name: 'Cancel' }).click();
    await question.waitFor({ state: 'detached' });
    expect((await carol.request('ping')).type).toBe('ping_reply');
  });
});

/** The last, because the nodes do not come back. */
describe('a page that is open', () => {
  it('shows that a node drains, dies, and that Redis is away, and goes on', async () => {
    await show('overview');
    const card = page.getByRole('region', { name: 'node-2' });
    await card.getByRole('button', { name: 'Drain…' }).click();
    expect(await confirm('Drain')).toMatch(/\d+ sessions of this node will be asked to reconnect elsewhere/);
    await card.getByText('draining').waitFor();
    await page.getByText('node-2 is draining.').waitFor();
    expect(await page.getByText('Needs attention.').count()).toBe(0);
    await nodes.at(1).close();
    await eventually('the page shows one node', async () => (await card.count()) === 0);
    await nodes.redis.kill();
    await page.getByText('node-1 cannot use Redis.').waitFor();
  });

  it('says that the server does not answer, keeps what it knows, and goes on when it is back', async () => {
    const port = new URL(nodes.at(0).http).port;
    await nodes.at(0).close();
    await page.getByRole('alert').filter({ hasText: 'The server does not answer' }).first().waitFor();
    await page.getByText('What you see is older').first().waitFor();
    await using again = await startTestServer({ PORT: port, SERVER_ID: 'node-1' });
    await page.getByText('Healthy.').waitFor();
    expect(again.http).toContain(port);
  });
});

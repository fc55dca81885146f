import { describe, expect, it } from 'vitest';
import { CLOSES, ERRORS } from '@gatehouse/protocol';
import { planAfter } from '../../packages/client/src/delays.js';
import { CODECS } from '../../src/protocol/codecs/subprotocols.js';
import { REFUSALS, type Refusal } from '../../src/upgrade/ladder/refusals.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';
import { mintToken, startTestServer } from '../support/test-server.js';
import { literal, read, section, table } from './markdown.js';

const document = read('docs/protocol.md');

describe('docs/protocol-for-clients.md', () => {
  it('lists every close code of the registry, each with its advice', () => {
    const documented = table(section(read('docs/protocol-for-clients.md'), '## Close codes'), 'code');
    const advised = documented.filter(({ advice }) => advice !== '');
    const registered = Object.values(CLOSES).map(({ code, client }) => [String(code), client]);
    expect(Object.fromEntries(advised.map(({ code, advice }) => [code, literal(advice)]))).toEqual(
      Object.fromEntries(registered),
    );
  });

  it('names the shortest wait after each close code that the library and the Python example keep', () => {
    const documented = table(section(read('docs/protocol-for-clients.md'), '## Close codes'), 'code');
    const [, example = ''] = /WAIT_AT_LEAST = \{(.*?)\}/.exec(read('examples/follow_channel.py')) ?? [];
    const ofExample = new Map([...example.matchAll(/(\d+): (\d+)/g)].map(([, code, wait]) => [code, Number(wait)]));
    for (const { code, 'what to do': text = '' } of documented) {
      const [, seconds] = /at least (\d+) seconds/.exec(text) ?? [];
      const { delayMs } = planAfter({ code: Number(code), reason: '' }, 0, 0, () => 0);
      expect([code, (delayMs ?? 0) / 1_000, ofExample.get(code) ?? 0]).toEqual([
        code,
        Number(seconds ?? 0),
        Number(seconds ?? 0),
      ]);
    }
  });
});

describe('docs/protocol.md', () => {
  it('lists the errors of the registry, each with its sentence and whether to retry', () => {
    const documented = table(section(document, '## Errors'), 'code').map(({ code, message, retry }) => [
      literal(code),
      { message, retry: retry === 'yes' },
    ]);
    expect(Object.fromEntries(documented)).toEqual(ERRORS);
  });

  it('lists the closes of the registry, each with its code, reason and advice', () => {
    const documented = table(section(document, '## Closes'), 'name').map(
      ({ name, code, reason, 'client should': client }) => [literal(name), { code: Number(code), reason, client }],
    );
    const registered = Object.entries(CLOSES).map(([name, { code, reason, client }]) => [
      name,
      // What stands in parentheses is said at run time, or not at all.
      {
        code,
        client,
        reason: expect.toSatisfy((cell: string) => cell.startsWith('(') || (literal(cell) ?? '') === reason),
      },
    ]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(registered));
  });

  it('lists the refusals of the ladder, each with its status and close code', () => {
    const documented = table(section(document, '### The ladder of refusals'), 'reason').map(
      ({ reason, HTTP: http, close }) => [literal(reason), { http, close }],
    );
    const registered = Object.entries(REFUSALS).map(([reason, { http, close }]: [string, Refusal]) => [
      reason,
      { http: http ? String(http.status) : '', close: close ? String(CLOSES[close].code) : '' },
    ]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(registered));
  });

  it('lists the subprotocols, each with its kind of frame', () => {
    const documented = table(section(document, '### Subprotocol'), 'name').map(({ name, frames }) => [
      literal(name),
      frames,
    ]);
    const spoken = Object.values(CODECS).map(({ subprotocol, frameKind }) => [subprotocol, frameKind]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(spoken));
  });

  it('shows the built-in messages as they are', async () => {
    await using server = await startTestServer({ HEARTBEAT_INTERVAL_MS: '25000', HEARTBEAT_TIMEOUT_MS: '10000' });
    const messages = section(document, '## Built-in messages');
    const examples = [...messages.matchAll(/```\n(→[^`]+)```/g)].map(([, lines = '']) => lines.trim().split('\n'));
    expect(examples).toHaveLength(7);
    for (const lines of examples) {
      await using client = await connect(server.url, { claims: { sub: 'alice', roles: ['ADMIN', 'MEMBER'] } });
      await play(client, lines);
    }
  });
});

async function play(client: TestClient, lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const message = JSON.parse(line.slice(1).replace('<jwt>', mintToken())) as Message;
    if (line.startsWith('→')) client.send(message);
    else expect(shapeOf(await client.next())).toEqual(shapeOf(message));
  }
}

/** Values that differ from run to run replaced by their kind, everything else as it is. */
function shapeOf(value: unknown, key = ''): unknown {
  if (['sessionId', 'nodeId', 'serverTime', 'expiresAt', 'messageRate', 'messageBurst', 'epoch', 'ts'].includes(key))
    return typeof value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shapeOf(field, name)]));
}

import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Broadcaster, Channels } from '../../../src/public.js';
import type { ContractModel } from '../../../src/contract/contract-model.js';
import { typesOf } from '../../../src/contract/rendering/typescript.js';
import { typeText } from '../../../src/contract/rendering/type-text.js';
import type { Contract as BuiltIn } from '../../../contract/messages.js';

const RULES = { roles: [], signedIn: false, cost: 1, isOnce: false };
const MODEL: ContractModel = {
  homePath: '/ws',
  requests: [
    {
      type: 'chat.join',
      path: '/ws',
      data: { $ref: '#/components/schemas/ChatJoin' },
      reply: {},
      errors: [],
      rules: RULES,
    },
    { type: 'reload', path: '/control/panel', data: undefined, reply: undefined, errors: [], rules: RULES },
  ],
  events: [{ type: "it's", data: { type: 'array', items: { $ref: '#/components/schemas/ChatJoin' } } }],
  publications: [{ namespace: 'room', data: { type: 'string' } }],
  schemas: {
    ChatJoin: {
      type: 'object',
      description: 'Joins. */ export const evil = 1;',
      properties: { room: { type: 'string' }, 'odd-name': { enum: ['a', 1] } },
      required: ['room'],
    },
  },
};

interface Posted {
  room: string;
  text: string;
}
interface Contract {
  requests: { 'chat.join': { data: { room: string }; reply: { members: number } } };
  events: { 'chat.posted': Posted; 'chat.cleared': undefined; 'chat.anything': unknown };
  channels: { 'room:*': Posted; 'feed:*': unknown };
}

describe('the contract as TypeScript', () => {
  it('is an interface of requests, events and channels, and one for each class', () => {
    expect(typesOf(MODEL))
      .toBe(`// The messages of this server, written from its code. Do not edit: run \`npm run contract\`.

/** Everything that clients and server say to each other. */
export interface Contract {
  /** What clients send, and what they are answered. */
  requests: {
    'chat.join': { data: ChatJoin; reply: unknown };
  };
  /** What the server sends by itself: type → data. */
  events: {
    'it\\'s': ChatJoin[];
  };
  /** What is published in channels: pattern → data. */
  channels: {
    'room:*': string;
  };
}

/** Everything that clients and server say to each other at /control/panel. */
export interface ContractOfControlPanel {
  /** What clients send, and what they are answered. */
  requests: {
    'reload': { data: undefined; reply: undefined };
  };
  /** What the server sends by itself: type → data. */
  events: {
    'it\\'s': ChatJoin[];
  };
  /** What is published in channels: pattern → data. */
  channels: {
    'room:*': string;
  };
}

/** Joins. *\\/ export const evil = 1; */
export interface ChatJoin {
  room: string;
  'odd-name'?: 'a' | 1;
}
`);
  });

  it.each([
    [{ type: ['integer', 'null'] }, 'number | null'],
    [{ type: 'array', items: { enum: ['a', 'b'] } }, "('a' | 'b')[]"],
    [{ type: 'array' }, 'unknown[]'],
    [{ anyOf: [{ type: 'string' }, { $ref: '#/components/schemas/Leaf' }] }, 'string | Leaf'],
    [{ allOf: [{ $ref: '#/components/schemas/One' }, { $ref: '#/components/schemas/Two' }] }, 'One & Two'],
    [{ type: 'object' }, 'Record<string, unknown>'],
    [{ type: 'object', additionalProperties: { type: 'number' } }, 'Record<string, number>'],
    [{ const: 'x' }, "'x'"],
    [{}, 'unknown'],
  ])('writes %j as %s', (schema, text) => {
    expect(typeText(schema)).toBe(text);
  });
});

/** Checked by the compiler, and never called. */
export function typed(broadcaster: Broadcaster<Contract>, channels: Channels<Contract>, plain: Broadcaster): void {
  const everyone = broadcaster.toEveryone();
  everyone.emit('chat.posted', { room: 'lobby', text: 'hi' });
  everyone.emit('chat.cleared');
  everyone.emit('chat.anything', 1);
  void everyone.except({ id: 'x' }).deliver('chat.posted', { room: 'lobby', text: 'hi' });
  void channels.publish('room:lobby', { room: 'lobby', text: 'hi' });
  void channels.publish(`room:${String(1)}`, { room: 'lobby', text: 'hi' }, { ttlMs: 1 });
  void channels.publish('feed:news', 'anything');
  plain.toUser('alice').emit('whatever', { at: 'all' });

  // @ts-expect-error the contract has no such event
  everyone.emit('chat.psoted', { room: 'lobby', text: 'hi' });
  // @ts-expect-error the class has another field
  everyone.emit('chat.posted', { room: 'lobby', body: 'hi' });
  // @ts-expect-error it carries data
  everyone.emit('chat.posted');
  // @ts-expect-error it carries no data
  everyone.emit('chat.cleared', 1);
  // @ts-expect-error deliver is held to it as well
  void everyone.from({ publisher: { userId: '', sessionId: '' } }).deliver('chat.posted', {});
  // @ts-expect-error wrong data of a channel
  void channels.publish('room:lobby', { text: 'hi' });
  // @ts-expect-error there is no such namespace
  void channels.publish('rooms:lobby', { room: 'lobby', text: 'hi' });
}

describe('the committed contract of the program', () => {
  it('has the types that the client library reads', () => {
    expectTypeOf<BuiltIn['requests']['ping']>().toEqualTypeOf<{ data: undefined; reply: { serverTime: number } }>();
    expectTypeOf<BuiltIn['events']['direct_message']['from']['userId']>().toEqualTypeOf<string>();
    expectTypeOf<BuiltIn['channels']['room:*']>().toEqualTypeOf<unknown>();
  });
});

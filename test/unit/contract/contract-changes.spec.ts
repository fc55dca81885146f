import { describe, expect, it } from 'vitest';
import { BREAKING_CHANGES } from '../../../src/contract/changes/breaking-change.js';
import { breakingChanges } from '../../../src/contract/changes/contract-changes.js';
import type { ContractModel, RequestModel } from '../../../src/contract/contract-model.js';
import { asyncApiOf } from '../../../src/contract/rendering/async-api.js';
import type { JsonSchema } from '../../../src/contract/schemas/json-schema.js';
import { read, section, table } from '../../docs/markdown.js';

const RULES = { roles: [], signedIn: false, cost: 1, isOnce: false };

const TEXT: JsonSchema = { type: 'string', minLength: 1, maxLength: 100 };
const POST: JsonSchema = {
  type: 'object',
  properties: {
    text: TEXT,
    color: { type: 'string', enum: ['red', 'green'] },
    tags: { type: 'array', items: { type: 'string', maxLength: 10 } },
    at: { type: 'number' },
    reply: { $ref: '#/components/schemas/Post' },
  },
  required: ['text'],
};
const POSTED: JsonSchema = {
  type: 'object',
  properties: { id: { type: 'integer' }, author: { type: 'string' } },
  required: ['id', 'author'],
};
const refer = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

const REQUEST: RequestModel = {
  type: 'chat.post',
  path: '/ws',
  data: refer('Post'),
  reply: refer('Posted'),
  errors: [],
  rules: RULES,
};
const BEFORE: ContractModel = {
  homePath: '/ws',
  requests: [REQUEST],
  events: [{ type: 'chat.posted', data: refer('Posted') }],
  publications: [{ namespace: 'room', data: refer('Posted') }],
  schemas: { Post: POST, Posted: POSTED },
};

const withRequest = (changes: Partial<RequestModel>): Partial<ContractModel> => ({
  requests: [{ ...REQUEST, ...changes }],
});
const withPost = (properties: Record<string, JsonSchema>, required = POST.required ?? []): Partial<ContractModel> => ({
  schemas: { Posted: POSTED, Post: { ...POST, properties: { ...POST.properties, ...properties }, required } },
});
const withPosted = (Posted: JsonSchema): Partial<ContractModel> => ({ schemas: { Post: POST, Posted } });
const { color: _color, ...withoutColor } = POST.properties ?? {};

function found(after: Partial<ContractModel>, before: Partial<ContractModel> = {}): string[] {
  const documents = [before, { ...before, ...after }].map((change) => asyncApiOf({ ...BEFORE, ...change }));
  const [old = asyncApiOf(BEFORE), changed = old] = documents;
  return breakingChanges(old, changed).map(({ kind, sentence }) => `${kind}: ${sentence}`);
}

const BREAKING: readonly (readonly [
  change: Partial<ContractModel>,
  sentences: string[],
  before?: Partial<ContractModel>,
])[] = [
  [{ requests: [] }, ['removed type: chat.post is gone: clients that send it are answered UNKNOWN_MESSAGE_TYPE']],
  [
    { schemas: { Posted: POSTED, Post: { ...POST, properties: withoutColor } } },
    ['removed request field: chat.post: data.color is gone: the server no longer reads it'],
  ],
  [withPost({}, ['text', 'color']), ['new required field: chat.post: data.color must now be there']],
  [
    withPost({ size: { type: 'number' } }, ['text', 'size']),
    ['new required field: chat.post: data.size must now be there'],
  ],
  [withRequest({}), ['data demanded: chat.post: data must now be there'], withRequest({ data: undefined })],
  [
    withPost({ color: { type: 'string', enum: ['red'] } }),
    ['narrowed enum: chat.post: data.color may no longer be "green"'],
  ],
  [
    withPost({ text: { ...TEXT, enum: ['hi'] } }),
    ['narrowed enum: chat.post: data.text may no longer be any other value'],
  ],
  [
    withPost({ text: { type: 'string', minLength: 2, maxLength: 50 } }),
    [
      'tightened bounds: chat.post: data.text must now be at least 2 characters; it was 1',
      'tightened bounds: chat.post: data.text may now be at most 50 characters; it was 100',
    ],
  ],
  [
    withPost({ text: { ...TEXT, pattern: '^a' } }),
    ['tightened bounds: chat.post: data.text must now fit pattern "^a"'],
  ],
  [
    withPost({ at: { type: 'number', minimum: 0, exclusiveMaximum: 9 } }),
    [
      'tightened bounds: chat.post: data.at must now be at least 0',
      'tightened bounds: chat.post: data.at may now be at most 9 (exclusive)',
    ],
  ],
  [
    withPost({ tags: { type: 'array', maxItems: 3, items: { type: 'string', maxLength: 5 } } }),
    [
      'tightened bounds: chat.post: data.tags may now be at most 3 items',
      'tightened bounds: chat.post: data.tags[] may now be at most 5 characters; it was 10',
    ],
  ],
  [
    { schemas: { Posted: POSTED, Post: { ...POST, additionalProperties: false } } },
    ['tightened bounds: chat.post: data may have no other fields now'],
  ],
  [withPost({ at: { type: 'string' } }), ['changed field type: chat.post: data.at is now string; it was number']],
  [withPost({ at: { type: 'integer' } }), ['changed field type: chat.post: data.at is now integer; it was number']],
  [withRequest({ rules: { ...RULES, roles: [['ADMIN']] } }), ['role demanded: chat.post now needs ADMIN']],
  [
    withRequest({ rules: { ...RULES, roles: [['ADMIN']] } }),
    ['role demanded: chat.post now needs ADMIN'],
    withRequest({ rules: { ...RULES, roles: [['ADMIN', 'MEMBER']] } }),
  ],
  [
    withRequest({ rules: { ...RULES, signedIn: true } }),
    ['role demanded: chat.post now needs a client that is signed in'],
  ],
  [
    withRequest({ rules: { ...RULES, isOnce: true } }),
    ['replay protection demanded: chat.post must now have an id and a ts'],
  ],
  [withRequest({ reply: undefined }), ['removed reply: the reply to chat.post no longer carries data']],
  [withRequest({ reply: {} }), ['removed reply: the reply to chat.post may now carry anything']],
  [
    withPosted({ ...POSTED, properties: { id: { type: 'integer' } }, required: ['id'] }),
    [
      'removed reply field: the reply to chat.post: data.author is gone',
      'removed reply field: chat.posted: data.author is gone',
      'removed reply field: publications in room:*: data.author is gone',
    ],
  ],
  [
    withPosted({ ...POSTED, required: ['id'] }),
    [
      'field may be absent: the reply to chat.post: data.author was always there, and may now be absent',
      'field may be absent: chat.posted: data.author was always there, and may now be absent',
      'field may be absent: publications in room:*: data.author was always there, and may now be absent',
    ],
  ],
  [
    {
      ...withRequest({ reply: refer('Wide') }),
      schemas: {
        ...BEFORE.schemas,
        Wide: { ...POSTED, properties: { ...POSTED.properties, author: { type: ['string', 'null'] } } },
      },
    },
    ['changed field type: the reply to chat.post: data.author is now string or null; it was string'],
  ],
  [{ events: [] }, ['removed event: chat.posted is gone: the server no longer sends it']],
  [
    { publications: [{ namespace: 'room', data: {} }] },
    ['removed publication class: publications in room:* may now be anything'],
  ],
  [{ publications: [] }, ['removed namespace: the channels room:* are gone']],
];

describe('a change of the contract that breaks clients', () => {
  it.each(BREAKING.map(([change, sentences, before]) => [sentences[0] ?? '', { change, sentences, before }] as const))(
    '%s',
    (_name, { change, sentences, before }) => {
      expect(found(change, before)).toEqual(sentences);
    },
  );

  it('has a test for each kind', () => {
    const kinds = BREAKING.flatMap(([, sentences]) => sentences.map((sentence) => sentence.split(':')[0]));
    expect(new Set(kinds)).toEqual(new Set(Object.keys(BREAKING_CHANGES)));
  });

  it('is listed in docs/contract.md', () => {
    const rows = table(section(read('docs/contract.md'), '## Breaking changes'), 'kind');
    expect(rows).toEqual(Object.entries(BREAKING_CHANGES).map(([kind, when]) => ({ kind: `\`${kind}\``, when })));
  });
});

const HARMLESS: readonly (readonly [name: string, after: Partial<ContractModel>, before?: Partial<ContractModel>])[] = [
  ['none at all', {}],
  [
    'a new type, event and namespace',
    {
      requests: [REQUEST, { ...REQUEST, type: 'chat.leave' }],
      events: [...BEFORE.events, { type: 'new', data: {} }],
      publications: [...BEFORE.publications, { namespace: 'feed', data: {} }],
    },
  ],
  ['a new optional field of a request', withPost({ size: { type: 'number' } })],
  ['a request field that need not be there any more', withPost({}, [])],
  ['a wider enum', withPost({ color: { type: 'string', enum: ['red', 'green', 'blue'] } })],
  ['looser bounds', withPost({ text: { type: 'string', maxLength: 200 } })],
  ['a request field that takes more types', withPost({ at: { type: ['number', 'string'] } })],
  ['a request field that takes anything', withPost({ at: {} })],
  [
    'a new field of a reply',
    withPosted({ ...POSTED, properties: { ...POSTED.properties, when: { type: 'integer' } } }),
  ],
  ['tighter bounds of a reply', withPosted({ ...POSTED, properties: { ...POSTED.properties, author: TEXT } })],
  ['a class for a reply that could be anything', {}, withRequest({ reply: {} })],
  ['a class for publications', BEFORE, { publications: [{ namespace: 'room', data: {} }] }],
  [
    'a role fewer',
    withRequest({ rules: RULES }),
    withRequest({ rules: { ...RULES, roles: [['ADMIN']], signedIn: true } }),
  ],
  [
    'another role that will do',
    withRequest({ rules: { ...RULES, roles: [['ADMIN', 'MEMBER']] } }),
    withRequest({ rules: { ...RULES, roles: [['ADMIN']] } }),
  ],
  ['a higher cost', withRequest({ rules: { ...RULES, cost: 5 } })],
  [
    'a class with another name',
    { ...withRequest({ data: refer('Post2') }), schemas: { ...BEFORE.schemas, Post2: POST } },
  ],
];

describe('a change that breaks nobody', () => {
  it.each(HARMLESS.map(([name, after, before]) => [name, { after, before }] as const))(
    'is %s',
    (_name, { after, before }) => {
      expect(found(after, before)).toEqual([]);
    },
  );
});

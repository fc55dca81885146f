import { Module } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WsException } from '@nestjs/websockets';
import specs from '@asyncapi/specs';
import { Ajv } from 'ajv';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Length, Max, ValidateNested } from 'class-validator';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Emits, MessageCost, RealtimeGateway, ReplayProtected, Reply, Roles, SignedIn } from 'gatehouse';
import type { AsyncApiDocument } from '../../src/contract/rendering/async-api.js';
import { buildServer, type Build } from '../support/built-server.js';
import { fetch } from '../support/fetch.js';
import { namespacesFile, type NamespacesFile } from '../support/namespaces-file.js';
import { childCoverage } from '../support/child-coverage/child-coverage.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { connect } from '../support/test-client.js';
import { startTestServer, TEST_SECRET, type TestServer } from '../support/test-server.js';

class ContractRoom {
  @Length(1, 64)
  room!: string;
}

class ContractMember {
  @Length(1, 256)
  userId!: string;
}

class ContractJoined {
  @ValidateNested({ each: true })
  @Type(() => ContractMember)
  members!: ContractMember[];
}

class ContractPosted extends ContractRoom {
  @Length(1, 100)
  text!: string;

  @IsOptional()
  @IsInt()
  @Max(9)
  stars?: number;
}

@Roles('MEMBER')
@MessageCost(2)
@Emits('contract.posted', ContractPosted)
@RealtimeGateway()
class ContractGateway {
  @Reply(ContractJoined, { errors: ['ROOM_FULL'] })
  @SubscribeMessage('contract.join')
  async join(@MessageBody() _room: ContractRoom): Promise<ContractJoined> {
    throw new WsException({ code: 'ROOM_FULL', message: 'Full' });
  }

  @SignedIn()
  @Roles('ADMIN', 'OWNER')
  @MessageCost(5)
  @ReplayProtected()
  @Reply([ContractPosted])
  @SubscribeMessage('contract.clear')
  async clear(): Promise<ContractPosted[]> {
    return [];
  }

  @SubscribeMessage('contract.last')
  last(@MessageBody('room') _room: string, @MessageBody('by') _by: ContractMember): ContractPosted {
    return { room: 'lobby', text: 'hi' };
  }

  @SubscribeMessage('contract.leave')
  leave(): void {}
}

@RealtimeGateway({ path: '/control' })
class ControlGateway {
  @SubscribeMessage('reload')
  reload(_socket: unknown, _data: unknown): number {
    return 1;
  }
}

@Module({ providers: [ContractGateway, ControlGateway] })
class ContractFeature {}

const operationOf = (document: AsyncApiDocument, type: string) => document.operations[`${type}.request`];
const dataOf = (document: AsyncApiDocument, key: string) =>
  document.components.messages[key]?.payload.allOf?.[1]?.properties?.data;

describe('the contract of a running server', () => {
  let namespaces: NamespacesFile;
  let server: TestServer;
  let document: AsyncApiDocument;
  beforeAll(async () => {
    namespaces = namespacesFile({
      talk: 'subscribe: anyone, publish: anyone, message: ContractPosted',
      free: 'publish: anyone',
    });
    server = await startTestServer(namespaces.environment, [ContractFeature]);
    document = (await (await fetch(`${server.http}/contract/asyncapi.json`)).json()) as AsyncApiDocument;
  });
  afterAll(async () => {
    await server.close();
    namespaces[Symbol.dispose]();
  });

  it('is valid by the schema of AsyncAPI 3.0', () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const validate = ajv.compile(specs.schemasWithoutId['3.0.0'] as object);
    expect([validate(document), validate.errors]).toEqual([true, null]);
    expect([validate({ ...document, channels: 1 })]).toEqual([false]);
  });

  it('refers only to what is there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
    const missing = references.filter((path) => {
      const parts = path.split('/');
      return (
        parts.reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], document) ===
        undefined
      );
    });
    expect(references.length).toBeGreaterThan(50);
    expect(missing).toEqual([]);
  });

  it('has every built-in message, each request with its reply and its errors', () => {
    const types = ['auth_refresh', 'broadcast', 'echo', 'hello', 'history', 'ping', 'presence', 'publish'];
    for (const type of [...types, 'send_message', 'subscribe', 'unsubscribe']) {
      expect([type, operationOf(document, type)]).toMatchObject([
        type,
        {
          action: 'receive',
          channel: { $ref: '#/channels/ws' },
          messages: [{ $ref: `#/channels/ws/messages/${type}.request` }],
          reply: {
            messages: [{ $ref: `#/channels/ws/messages/${type}.reply` }, { $ref: '#/channels/ws/messages/error' }],
          },
        },
      ]);
      expect(document.components.messages[`${type}.reply`]).toMatchObject({
        name: `${type}_reply`,
        correlationId: { location: '$message.payload#/id' },
      });
    }
    for (const type of ['broadcast', 'direct_message', 'gap', 'presence', 'unsubscribed'])
      expect(document.operations[`${type}.event`]).toMatchObject({ action: 'send' });
    expect(document.components.messages.error).toMatchObject({ 'x-codes': { SERVER_BUSY: { retry: true } } });
    expect(dataOf(document, 'hello.reply')).toEqual({ $ref: '#/components/schemas/Hello' });
  });

  it('has the gateways of a feature: requests, replies, events and the codes of its own', () => {
    expect(dataOf(document, 'contract.join.request')).toEqual({ $ref: '#/components/schemas/ContractRoom' });
    expect(dataOf(document, 'contract.join.reply')).toEqual({ $ref: '#/components/schemas/ContractJoined' });
    expect(dataOf(document, 'contract.posted.event')).toEqual({ $ref: '#/components/schemas/ContractPosted' });
    expect(operationOf(document, 'contract.join')).toMatchObject({ 'x-errors': ['ROOM_FULL'] });
    expect(document.components.schemas.ContractJoined).toEqual({
      type: 'object',
      properties: { members: { type: 'array', items: { $ref: '#/components/schemas/ContractMember' } } },
      required: ['members'],
    });
  });

  it('has the class that a handler returns without a decorator, and the fields that its parameters name', () => {
    expect(dataOf(document, 'contract.last.reply')).toEqual({ $ref: '#/components/schemas/ContractPosted' });
    expect(dataOf(document, 'contract.last.request')).toEqual({
      type: 'object',
      properties: { room: { type: 'string' }, by: { $ref: '#/components/schemas/ContractMember' } },
      required: ['by'],
    });
    expect(dataOf(document, 'contract.clear.reply')).toMatchObject({ type: 'array' });
    expect([dataOf(document, 'contract.leave.request'), dataOf(document, 'contract.leave.reply')]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('has the roles and costs of the class, unless the handler has its own', () => {
    expect(operationOf(document, 'contract.join')).toMatchObject({ 'x-roles': ['MEMBER'], 'x-cost': 2 });
    expect(operationOf(document, 'contract.join')).not.toHaveProperty('x-once');
    expect(operationOf(document, 'contract.clear')).toMatchObject({
      'x-roles': ['ADMIN', 'OWNER'],
      'x-signed-in': true,
      'x-cost': 5,
      'x-once': true,
    });
    expect(operationOf(document, 'send_message')).toMatchObject({ 'x-signed-in': true, 'x-cost': 1 });
    expect(operationOf(document, 'broadcast')).toMatchObject({ 'x-signed-in': true });
  });

  it('has the publications of each namespace, with the class that the channels file names', () => {
    expect(dataOf(document, 'talk.publication')).toEqual({ $ref: '#/components/schemas/ContractPosted' });
    expect(document.components.messages['talk.publication']).toMatchObject({ name: 'message', 'x-channel': 'talk:*' });
    expect(dataOf(document, 'free.publication')).toEqual({});
  });

  it('has another path as a channel of its own', () => {
    expect(document.channels).toMatchObject({ ws: { address: '/ws' }, ws_control: { address: '/control' } });
    expect(document.operations['ws_control.reload.request']).toMatchObject({
      channel: { $ref: '#/channels/ws_control' },
    });
    expect(dataOf(document, 'reload.reply')).toEqual({ type: 'number' });
  });

  it('is served as TypeScript, and as a page that runs nothing', async () => {
    const types = await fetch(`${server.http}/contract/messages.ts`);
    expect(types.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const text = await types.text();
    expect(text).toContain("'contract.join': { data: ContractRoom; reply: ContractJoined };");
    expect(text).toContain("'talk:*': ContractPosted;");
    expect(text).toContain('export interface ContractOfControl {');
    const page = await fetch(`${server.http}/contract`);
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'/,
    );
    expect(await page.text()).toContain('<td><code>contract.clear</code></td>');
  });

  it('holds clients to the class of a namespace when they publish', async () => {
    await using client = await connect(server.url);
    await client.request('subscribe', { channel: 'talk:lobby' });
    const wrong = await client.request('publish', { channel: 'talk:lobby', data: { room: 'lobby', stars: 10 } });
    expect(wrong).toMatchObject({ code: 'VALIDATION_FAILED', details: { 'data.text': [expect.any(String)] } });
    expect(await client.request('publish', { channel: 'talk:lobby', data: 'hi' })).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { data: ['must be an object'] },
    });
    client.send({ type: 'publish', id: 1, data: { channel: 'talk:lobby', data: { room: 'lobby', text: 'hi' } } });
    expect(await client.next()).toMatchObject({ type: 'message', data: { room: 'lobby', text: 'hi' } });
  });
});

describe('a server whose contract cannot be right', () => {
  it('does not start where a namespace names a class that there is not', async () => {
    using file = namespacesFile({ talk: 'publish: anyone, message: NoSuchClass' });
    await expect(startTestServer(file.environment)).rejects.toThrow(
      'namespaces.talk.message is NoSuchClass, and there is no such message class. Give its fields decorators',
    );
  });

  it('does not start where a namespace names what is no class', async () => {
    using file = namespacesFile({ talk: 'publish: anyone, message: [1]' });
    await expect(startTestServer(file.environment)).rejects.toThrow(
      'namespaces.talk.message must be the name of a message class',
    );
  });

  it('does not start where two gateways send different things under one type', async () => {
    @Emits('contract.posted', ContractRoom)
    @RealtimeGateway()
    class OtherGateway {}
    @Module({ providers: [OtherGateway] })
    class Other {}
    await expect(startTestServer({}, [ContractFeature, Other])).rejects.toThrow(
      "@Emits('contract.posted') stands on ContractGateway with ContractPosted, and on OtherGateway with ContractRoom",
    );
  });
});

describe('the command', () => {
  const run = promisify(execFile);
  let build: Build;
  beforeAll(async () => void (build = await buildServer()));
  afterAll(() => build[Symbol.asyncDispose]());

  async function contract(
    folder: string,
    parameters: readonly string[] = [],
    environment: Record<string, string> = {},
  ) {
    const command = [build.contract, ...parameters];
    const options = { cwd: folder, env: { PATH: process.env.PATH, ...childCoverage(), ...environment } };
    return run(process.execPath, command, options).then(
      ({ stdout }) => ({ code: 0, output: stdout }),
      ({ code, stderr }: { code: number; stderr: string }) => ({ code, output: stderr }),
    );
  }

  it('finds that the committed contract of the program is current', async () => {
    expect(await contract(resolve('.'), ['--check'], { CHANNELS_FILE: resolve('config/channels.yaml') })).toEqual({
      code: 0,
      output: 'The contract in contract is current\n',
    });
  });

  it('writes the contract of a file of features, and names what breaks clients', async () => {
    await using folder = await temporaryFolder(build.featuresFolder);
    const features = (name: string): string => `
      import { Module } from '@nestjs/common';
      import { SubscribeMessage } from '@nestjs/websockets';
      import { RealtimeGateway, Reply } from 'gatehouse';
      class PollGateway { vote() {} }
      const descriptor = Object.getOwnPropertyDescriptor(PollGateway.prototype, 'vote');
      SubscribeMessage('${name}')(PollGateway.prototype, 'vote', descriptor);
      Reply()(PollGateway.prototype, 'vote', descriptor);
      RealtimeGateway()(PollGateway);
      export default class PollModule {}
      Module({ providers: [PollGateway] })(PollModule);`;
    await writeFile(join(folder.path, 'features.mjs'), features('poll.vote'));
    // No key is needed, as in CI.
    const environment = { FEATURES_FILE: 'features.mjs', NODE_ENV: 'production' };
    expect(await contract(folder.path, [], environment)).toMatchObject({ code: 0 });
    expect(await readFile(join(folder.path, 'contract', 'messages.ts'), 'utf8')).toContain("'poll.vote': {");
    const schema = JSON.parse(
      await readFile(join(folder.path, 'contract', 'schemas', 'hello.reply.json'), 'utf8'),
    ) as object;
    const validate = new Ajv({ strict: false }).compile(schema);
    expect(validate({ v: 1, type: 'hello_reply', id: 1, data: {} })).toBe(false);

    await writeFile(join(folder.path, 'features.mjs'), features('poll.voted'));
    const breaking = await contract(folder.path, ['--check'], environment);
    expect(breaking.code).toBe(1);
    expect(breaking.output).toContain('  - removed type: poll.vote is gone: clients that send it are answered');
  });

  it('says what is wrong with the settings', async () => {
    const { code, output } = await contract(build.folder, [], {
      FEATURES_FILE: './nowhere.js',
      JWT_SECRET: TEST_SECRET,
    });
    expect([code, output]).toEqual([1, expect.stringContaining('FEATURES_FILE: there is no file')]);
  });
});

import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { Transform, Type } from 'class-transformer';
import {
  IsArray,
  IsDefined,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { feature } from '../support/feature.js';
import { connect } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { connectWith, WIRES } from '../support/wires.js';

class Post {
  @IsString() @Length(1, 10) text!: string;
  @IsOptional() @IsInt() @Max(5) stars?: number;
}

class Item {
  @IsString() name!: string;
  @IsOptional() @IsDefined() bytes?: unknown;
}

class Order {
  @ValidateNested() @Type(() => Item) @IsArray() items!: Item[];
  @ValidateNested() @Type(() => Item) @IsOptional() main?: Item;
  @IsOptional() @IsObject() @ValidateNested() @Type(() => Item) only?: Item;
}

class Name {
  @IsString() @MaxLength(5) @Matches(/^\w+$/, { message: 'name must be one word' }) name!: string;
  @Length(1, 10) @Matches(/^\w+$/, { message: 'code must be one word' }) code!: string;
}

class Trimmed {
  @Transform(({ value }: { value: string }) => value.trim()) @IsString() text!: string;
}

class Words {
  @IsString({ each: true }) words!: string[];
}

class Attachment {
  @IsDefined() content!: unknown;
}

@RealtimeGateway()
class ValidationGateway {
  @SubscribeMessage('post')
  post(@MessageBody() post: Post): object {
    return Object.assign({ isPost: post instanceof Post }, post);
  }

  @SubscribeMessage('order')
  order(@MessageBody() order: Order): object {
    return Object.assign({ areItems: order.items.every((item) => item instanceof Item) }, order);
  }

  @SubscribeMessage('name')
  name(@MessageBody() name: Name): Name {
    return name;
  }

  @SubscribeMessage('trimmed')
  trimmed(@MessageBody() { text }: Trimmed): string {
    return text;
  }

  @SubscribeMessage('words')
  words(@MessageBody() words: Words): Words {
    return words;
  }

  @SubscribeMessage('attach')
  attach(@MessageBody() { content }: Attachment): unknown {
    return content;
  }

  @SubscribeMessage('bare')
  bare(_client: unknown, post: Post): boolean {
    return post instanceof Post;
  }
}

describe('validation', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({}, [feature([ValidationGateway])]);
  });
  afterAll(() => server.close());

  it('gives the handler an instance without the fields the class does not declare', async () => {
    await using client = await connect(server.url);
    expect(await client.request('post', { text: 'hi', stars: 5, isAdmin: true, toString: 1 })).toMatchObject({
      type: 'post_reply',
      data: { isPost: true, text: 'hi', stars: 5 },
    });
    const { data } = await client.request('post', { text: 'hi', isAdmin: true });
    expect(data).toEqual({ isPost: true, text: 'hi' });
    expect(await client.request('bare', { text: 'hi' })).toMatchObject({ data: true });
  });

  it('answers field by field with reasons, and the id', async () => {
    await using client = await connect(server.url);
    expect(await client.request('post', { text: '', stars: 7 }, 'v')).toEqual({
      v: 1,
      type: 'error',
      id: 'v',
      code: 'VALIDATION_FAILED',
      message: 'Validation failed',
      details: {
        text: ['text must be longer than or equal to 1 characters'],
        stars: ['stars must not be greater than 5'],
      },
    });
    expect(await client.request('bare', {}, 'w')).toMatchObject({ id: 'w', code: 'VALIDATION_FAILED' });
  });

  it.each([null, 5, 'text', true, [], undefined, [{ text: 'hi' }]])(
    'refuses data that is no object: %j',
    async (data) => {
      await using client = await connect(server.url);
      expect(await client.request('post', data, 'v')).toMatchObject({
        id: 'v',
        code: 'VALIDATION_FAILED',
        details: { data: ['must be an object'] },
      });
    },
  );

  it('names one reason for a field that is missing or of another type', async () => {
    await using client = await connect(server.url);
    for (const text of [undefined, null, 5, {}]) {
      for (const stars of ['1', 7.5]) {
        const { details } = await client.request('post', { text, stars });
        expect(details).toEqual({ text: ['text must be a string'], stars: ['stars must be an integer number'] });
      }
    }
  });

  it('names each rule that a value of the right type breaks', async () => {
    await using client = await connect(server.url);
    const { details } = await client.request('name', { name: 'a b c d', code: 'a b c d' });
    expect(details).toEqual({
      name: ['name must be one word', 'name must be shorter than or equal to 5 characters'],
      code: ['code must be one word'],
    });
    for (const wrong of ['', 5, {}, ['a']]) {
      expect((await client.request('name', { name: 'a', code: wrong })).details).toEqual({
        code: [expect.stringMatching(/^code must be (?:one word|longer)/)],
      });
    }
  });

  it('says nothing of the parts of what is wrong as a whole', async () => {
    await using client = await connect(server.url);
    for (const only of [[{}], ['a', 1], [[]], 'text', 5]) {
      expect((await client.request('order', { items: [], only })).details).toEqual({
        only: ['only must be an object'],
      });
    }
  });

  it('goes into nested classes and lists, with the path in the details', async () => {
    await using client = await connect(server.url);
    expect(await client.request('order', { items: [{ name: 'a', extra: 1 }], main: { name: 'b' } })).toMatchObject({
      data: { areItems: true, items: [{ name: 'a' }], main: { name: 'b' } },
    });
    expect(await client.request('order', { items: [{ name: 'a' }, { name: 5 }], main: {} })).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { 'items.1.name': ['name must be a string'], 'main.name': ['name must be a string'] },
    });
    expect(await client.request('order', { items: 'none' })).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { items: expect.arrayContaining(['items must be an array']) as unknown },
    });
  });

  it('lists fifty reasons at most, however many are wrong', async () => {
    await using client = await connect(server.url);
    const { details } = await client.request('order', { items: Array.from({ length: 5_000 }, () => ({})) });
    expect(Object.keys(details as object)).toHaveLength(50);
  });

  it('transforms where the class says so; what that trips over is the client’s fault, and never logged as the server’s', async () => {
    await using client = await connect(server.url);
    expect(await client.request('trimmed', { text: ' a ' })).toMatchObject({ data: 'a' });
    expect(await client.request('trimmed', { text: 5 }, 't')).toMatchObject({ id: 't', code: 'VALIDATION_FAILED' });
    for (const text of [{ constructor: { name: 'String' } }, 1e-7, [{}], null]) {
      expect(await client.request('trimmed', { text }, 't')).toMatchObject({ id: 't', code: 'VALIDATION_FAILED' });
    }
    expect(server.logLines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('never lets hostile names through or fall over', async () => {
    await using client = await connect(server.url);
    const payloads = ['{"text":"a","constructor":{"x":1}}', '{"text":"a","hasOwnProperty":1,"then":"x"}'];
    for (const payload of payloads) {
      client.send(`{"type":"post","id":1,"data":${payload}}`);
      expect(await client.next()).toMatchObject({ id: 1, data: { isPost: true, text: 'a' } });
    }
    client.send('{"type":"order","id":2,"data":{"items":[{"constructor":"x"}],"main":{"name":{"constructor":1}}}}');
    expect(await client.next()).toMatchObject({ id: 2, code: 'VALIDATION_FAILED' });
    client.send('{"type":"words","id":3,"data":{"words":[{"constructor":"x"}]}}');
    expect(await client.next()).toMatchObject({ id: 3, code: 'VALIDATION_FAILED' });
    expect(server.logLines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('hands on any value of a declared field as the client sent it', async () => {
    await using client = await connect(server.url);
    for (const content of [{ constructor: 'x', toString: 1, deep: [{ valueOf: null }] }, 0, '', [null]]) {
      expect(await client.request('attach', { content })).toMatchObject({ data: content });
    }
    expect(await client.request('attach', { content: null })).toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it.each(WIRES.filter(({ subprotocol }) => subprotocol !== 'v1.json'))(
    'keeps bytes as bytes: $subprotocol',
    async (wire) => {
      await using client = await connectWith(wire, server.url);
      const bytes = Buffer.from('00ff80', 'hex');
      const { data } = await client.request('attach', { content: bytes });
      expect(Buffer.from(data as Uint8Array)).toEqual(bytes);
      const order = await client.request('order', { items: [{ name: 'a', bytes }] });
      const { items } = order.data as { items: { bytes: Uint8Array }[] };
      expect(Buffer.from(items[0]?.bytes ?? [])).toEqual(bytes);
      expect(await client.request('post', bytes)).toMatchObject({ details: { data: ['must be an object'] } });
    },
  );
});

import type { GatewayName } from './gateway-name.js';
import type { ProjectLayout } from './project.js';

/** The files of a new gateway, by their paths from the root of the project. */
export function gatewayFiles(name: GatewayName, layout: ProjectLayout): ReadonlyMap<string, string> {
  const folder = `${layout.gateways}/${name.file}`;
  return new Map([
    [`${folder}/${name.file}.messages.ts`, messages(name)],
    [`${folder}/${name.file}.gateway.ts`, gateway(name)],
    [`${folder}/${name.file}.module.ts`, module(name)],
    [layout.testOf(name.file), test(name, layout)],
  ]);
}

function messages({ className, messageType }: GatewayName): string {
  return `import { IsString, Length } from 'class-validator';

/** The data of \`${messageType}.say\`. Data that does not fit gets the error VALIDATION_FAILED. */
export class ${className}Say {
  @IsString()
  @Length(1, 200)
  text!: string;
}

/** The data of the reply, \`${messageType}.say_reply\`. */
export class ${className}Said {
  @IsString()
  text!: string;

  @IsString()
  from!: string;
}
`;
}

function gateway({ file, className, messageType }: GatewayName): string {
  return `import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { CurrentSession, RealtimeGateway, Reply, SignedIn, type Session } from 'gatehouse';
import { ${className}Said, ${className}Say } from './${file}.messages.js';

@RealtimeGateway()
export class ${className}Gateway {
  @SignedIn()
  @Reply(${className}Said)
  @SubscribeMessage('${messageType}.say')
  say(@MessageBody() { text }: ${className}Say, @CurrentSession() session: Session): ${className}Said {
    return { text, from: session.userId };
  }
}
`;
}

function module({ file, className }: GatewayName): string {
  return `import { Module } from '@nestjs/common';
import { ${className}Gateway } from './${file}.gateway.js';

@Module({ providers: [${className}Gateway] })
export class ${className}Module {}
`;
}

function test({ file, className, messageType }: GatewayName, { testRunner, folderFromTest }: ProjectLayout): string {
  return `import { startTestServer } from 'gatehouse/testing';
import assert from 'node:assert/strict';
import { test } from '${testRunner}';
import { ${className}Module } from '${folderFromTest(file)}/${file}.module.js';

test('${messageType}.say answers with the text and its author', async () => {
  await using server = await startTestServer({ features: [${className}Module] });
  await using ada = await server.connect({ sub: 'ada' });
  assert.deepEqual(await ada.request('${messageType}.say', { text: 'hello' }), { text: 'hello', from: 'ada' });
});

test('${messageType}.say refuses an empty text', async () => {
  await using server = await startTestServer({ features: [${className}Module] });
  await using ada = await server.connect({ sub: 'ada' });
  await assert.rejects(ada.request('${messageType}.say', { text: '' }), { code: 'VALIDATION_FAILED' });
});
`;
}

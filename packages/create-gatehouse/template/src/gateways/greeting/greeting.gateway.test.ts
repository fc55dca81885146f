import { startTestServer } from 'gatehouse/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GreetingModule } from './greeting.module.js';

test('greeting.send answers the sender and tells everyone else', async () => {
  await using server = await startTestServer({ features: [GreetingModule] });
  await using ada = await server.connect({ sub: 'ada' });
  await using ben = await server.connect({ sub: 'ben' });
  assert.deepEqual(await ada.request('greeting.send', { name: 'Ben' }), { text: 'Hello, Ben!' });
  const message = await ben.next('greeting.sent');
  assert.deepEqual([message.data, message.from?.userId], [{ name: 'Ben' }, 'ada']);
});

test('greeting.send refuses an empty name', async () => {
  await using server = await startTestServer({ features: [GreetingModule] });
  await using ada = await server.connect({ sub: 'ada' });
  await assert.rejects(ada.request('greeting.send', { name: '' }), { code: 'VALIDATION_FAILED' });
});

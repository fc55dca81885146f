import { expect, it } from 'vitest';
import { UnusableSettings } from '../../../config/unusable-settings.js';
import { loadNats } from '../../../src/bridges/nats/nats-client.js';

it('says how to install the packages that are missing, and the server does not start', async () => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  const refused = loadNats(() => Promise.reject(missing));
  await expect(refused).rejects.toThrow(UnusableSettings);
  await expect(refused).rejects.toThrow('npm install @nats-io/transport-node@3 @nats-io/jetstream@3');
});

it('does not take another fault of a package for its absence', async () => {
  const broken = new Error('Unexpected token');
  await expect(loadNats(() => Promise.reject(broken))).rejects.toBe(broken);
});

import { expect, it } from 'vitest';
import { UnusableSettings } from '../../../config/unusable-settings.js';
import { connector } from '../../../src/outbox/connector.js';

const URL = 'postgres://127.0.0.1:1/postgres';

it('says how to install the package that is missing, and the server does not start', async () => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  const refused = connector(URL, () => Promise.reject(missing));
  await expect(refused).rejects.toThrow(UnusableSettings);
  await expect(refused).rejects.toThrow('npm install pg@8');
});

it('does not take another fault of the package for its absence', async () => {
  const broken = new Error('Unexpected token');
  await expect(connector(URL, () => Promise.reject(broken))).rejects.toBe(broken);
});

it('rejects if the database cannot be reached, and leaves nothing open', async () => {
  const connect = await connector(URL);
  await expect(connect()).rejects.toThrow('ECONNREFUSED');
});

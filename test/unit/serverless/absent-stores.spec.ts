import { expect, it } from 'vitest';
import { AbsentRecords, AbsentStates } from '../../../src/serverless/engine/absent-stores.js';

const bans = new AbsentRecords('bans');
const states = new AbsentStates();

it.each([
  ['a ban', 'bans', () => bans.put()],
  ['another ban in its place', 'bans', () => bans.restate()],
  ['the end of a ban', 'bans', () => bans.lift()],
  ['a change of a state', 'state channels', () => states.commit()],
  ['a key of a state', 'state channels', () => states.get()],
  ['the keys of a state', 'state channels', () => states.page()],
  ['the keys of a cell', 'state channels', () => states.cellPage()],
])('refuses %s, and says what the serverless form has not', async (_what, absent, ask) => {
  const refusal = { code: 'FORBIDDEN', message: `The serverless form has no ${absent}` };
  await expect(ask()).rejects.toMatchObject(refusal);
});

it('lists no bans, and finds no keys that have expired', async () => {
  expect([await bans.list(), await states.expired()]).toEqual([[], []]);
});

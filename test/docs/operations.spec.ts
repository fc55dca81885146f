import { describe, expect, it } from 'vitest';
import { REDIS_FAULTS } from '../../src/cluster/redis/connection/redis-faults.js';
import { AUDIT_EVENTS } from '../../src/observability/audit/audit-catalogue.js';
import { literal, read, section, table } from './markdown.js';

describe('the pages for operators', () => {
  it('list in docs/audit.md the events of the audit log, each with its fields', () => {
    const documented = table(section(read('docs/audit.md'), '## Events'), 'event').map(({ event, fields = '' }) => [
      literal(event),
      [...fields.matchAll(/`(\w+)`/g)].map(([, field = '']) => field).toSorted(),
    ]);
    const registered = Object.entries(AUDIT_EVENTS).map(([event, { fields }]) => [event, [...fields].toSorted()]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(registered));
  });

  it('list in docs/redis.md the faults of Redis', () => {
    const documented = table(section(read('docs/redis.md'), '## When Redis refuses'), 'fault').map(({ fault }) =>
      literal(fault),
    );
    expect(documented).toEqual(Object.keys(REDIS_FAULTS));
  });
});

import { describe, expect, it } from 'vitest';
import { REDIS_FAULTS } from '../../src/cluster/redis/connection/redis-faults.js';
import { ANOMALIES } from '../../src/observability/anomalies/anomaly-report.js';
import { AUDIT_EVENTS } from '../../src/observability/audit/audit-catalogue.js';
import { literal, read, section, table } from './markdown.js';

const document = read('docs/operations.md');

describe('docs/operations.md', () => {
  it('lists the events of the audit log, each with its fields', () => {
    const documented = table(section(document, '## The audit log'), 'event').map(({ event, fields = '' }) => [
      literal(event),
      [...fields.matchAll(/`(\w+)`/g)].map(([, field = '']) => field).toSorted(),
    ]);
    const registered = Object.entries(AUDIT_EVENTS).map(([event, { fields }]) => [event, [...fields].toSorted()]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(registered));
  });

  it('lists the faults of Redis', () => {
    const documented = table(section(document, '### When Redis refuses'), 'fault').map(({ fault }) => literal(fault));
    expect(documented).toEqual(Object.keys(REDIS_FAULTS));
  });

  it('lists the anomalies, each with its line', () => {
    const documented = table(section(document, '## Anomalies'), 'line').map(({ line, kind }) => [
      literal(kind),
      literal(line),
    ]);
    expect(Object.fromEntries(documented)).toEqual(ANOMALIES);
  });
});

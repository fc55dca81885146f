import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Attackers } from '../../bench/load/attackers.js';
import { HonestClients } from '../../bench/load/honest.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { startTestServer, TEST_SECRET } from '../support/test-server.js';

const HONEST = 5;
const ATTACK_MS = 3_000;
const ATTACKERS = 270;

const isSome = (count: number): boolean => count > 0;

/** A short run of the benchmark `attack`. Its attackers come from all over 127.0.0.0/8, which is one host on Linux only. */
describe.runIf(process.platform === 'linux')(
  'storms, floods, slow readers and senders, and broken frames at once',
  () => {
    it('cost honest clients not one answer, and leave nothing behind', async () => {
      await using started = await startTestServer({
        CONNECTION_RATE_PER_IP: '10',
        MESSAGE_RATE: '100',
        MESSAGE_RATE_PER_IP: '2000',
        OUTBOUND_BUDGET_BYTES: '8388608',
        INBOUND_BUDGET_BYTES: '16777216',
        MESSAGE_TIMEOUT_MS: '10000',
        UPGRADE_TIMEOUT_MS: '10000',
        LOG_LEVEL: 'silent',
        AUDIT_LOG: 'off',
      });
      const { port, app } = started;
      const tokenKey = { algorithm: 'HS256', key: TEST_SECRET, keyId: null } as const;
      const server = { port, dialect: 'gatehouse', tokenKey } as const;
      const earlier = await Scrape.of(started);
      const honest = await HonestClients.open(server, HONEST);
      const attackers = new Attackers(server);
      honest.start(10);
      for (let step = 0; step < ATTACKERS; step += 1) {
        attackers.step();
        await pause(ATTACK_MS / ATTACKERS);
      }
      expect([...attackers.steps.values()]).toEqual(Array(attackers.steps.size).fill(ATTACKERS / attackers.steps.size));
      const scrape = await Scrape.of(started);
      const { errors, p50 } = honest.figures();
      honest.stop();
      attackers.stop();

      expect(errors).toBe(0);
      expect(p50).toBeGreaterThan(0);
      // The attack was one: each kind was met by what is there for it.
      const grew = (series: string) => scrape.since(earlier, series);
      expect(grew('websocket_errors_total{code="INVALID_MESSAGE_FORMAT"}')).toBeGreaterThan(0);
      expect(grew('websocket_errors_total{code="RATE_LIMIT_EXCEEDED"}')).toBeGreaterThan(0);
      for (const reason of ['too_many_control_frames', 'too_many_fragments', 'too_many_protocol_errors']) {
        expect([reason, grew(`websocket_breaches_total{reason="${reason}"}`)]).toEqual([
          reason,
          expect.toSatisfy(isSome),
        ]);
      }
      const sessions = app.get(SessionRegistry, { strict: false });
      await eventually('only the honest are left', () => sessions.size === HONEST);
      honest.close();
      await eventually('nobody is left', () => sessions.size === 0);
    });
  },
);

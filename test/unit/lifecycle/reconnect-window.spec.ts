import { describe, expect, it } from 'vitest';
import { MAX_WINDOW_MS, reconnectWindowMs } from '../../../src/lifecycle/reconnect-window.js';
import { node } from './nodes.js';

const LEAST_MS = 5_000;

describe('the reconnect window', () => {
  it('is the least where no other node is, however many leave', () => {
    expect(reconnectWindowMs(50_000, [], LEAST_MS)).toBe(LEAST_MS);
    expect(reconnectWindowMs(50_000, [], 0)).toBe(0);
  });

  it('is as long as the others need to take in those who leave, at 500 a second each', () => {
    const [one, two] = [node('one', { maxSessions: 50_000 }), node('two', { maxSessions: 50_000 })];
    expect(reconnectWindowMs(10_000, [one], LEAST_MS)).toBe(20_000);
    expect(reconnectWindowMs(10_000, [one, two], LEAST_MS)).toBe(10_000);
    expect(reconnectWindowMs(10_000, [one, two], 15_000)).toBe(15_000);
    expect(reconnectWindowMs(100, [one, two], LEAST_MS)).toBe(LEAST_MS);
    expect(reconnectWindowMs(0, [one, two], LEAST_MS)).toBe(LEAST_MS);
  });

  it('is longer by as much as there are more who leave than places', () => {
    const half = node('half', { sessions: 5_000, maxSessions: 10_000 });
    expect(reconnectWindowMs(5_000, [half], LEAST_MS)).toBe(10_000);
    expect(reconnectWindowMs(10_000, [half], LEAST_MS)).toBe(40_000);
    expect(reconnectWindowMs(10_000, [half, node('endless', { maxSessions: 0 })], LEAST_MS)).toBe(10_000);
  });

  it('ends at a minute, also where nobody has room, unless the least is more', () => {
    const full = node('full', { sessions: 10_000, maxSessions: 10_000 });
    expect(reconnectWindowMs(50_000, [full], LEAST_MS)).toBe(MAX_WINDOW_MS);
    expect(reconnectWindowMs(1_000_000, [node('one')], LEAST_MS)).toBe(MAX_WINDOW_MS);
    expect(reconnectWindowMs(50_000, [full], 90_000)).toBe(90_000);
  });

  it('reckons with one node where others are there and none is ready', () => {
    const busy = ['one', 'two'].map((name) => node(name, { isReady: false }));
    expect(reconnectWindowMs(10_000, busy, LEAST_MS)).toBe(20_000);
  });

  it('counts only the ready ones', () => {
    const others = [node('ready', { maxSessions: 0 }), node('overloaded', { isReady: false })];
    expect(reconnectWindowMs(10_000, others, LEAST_MS)).toBe(20_000);
  });
});

import { describe, expect, it } from 'vitest';
import { canReusePort, listenOptions } from '../../../src/transport/shared-port.js';

describe('a port that workers share', () => {
  it.each([
    ['20.20.2', 'linux', false],
    ['22.11.0', 'linux', false],
    ['22.12.0', 'linux', true],
    ['24.1.0', 'linux', true],
    ['24.1.0', 'darwin', false],
  ] as const)('is spread by the kernel on Node %s on %s: %s', (version, platform, isSo) => {
    expect(canReusePort(version, platform)).toBe(isSo);
  });

  it('is opened as before by a process that is alone', () => {
    expect(listenOptions(8080, undefined, false)).toEqual({ port: 8080, backlog: 4_096 });
    expect(listenOptions(8080, '127.0.0.1', false)).toEqual({ port: 8080, backlog: 4_096, host: '127.0.0.1' });
  });
});

import { describe, expect, it } from 'vitest';
import { LOG_AREAS, readLogLevels } from '../../../config/log-levels.js';

describe('LOG_LEVEL', () => {
  it('is one level for all areas, and of some another one', () => {
    const levels = readLogLevels('warn, connections=debug,app = silent');
    expect(levels).toMatchObject({ connections: 'debug', app: 'silent', cluster: 'warn', nest: 'warn' });
    expect(Object.keys(levels)).toEqual(Object.keys(LOG_AREAS));
    expect(readLogLevels('messages=debug')).toMatchObject({ messages: 'debug', api: 'info' });
  });

  it.each([
    ['loud', /^must be a level \(trace, debug/],
    ['info,conections=debug', /^must name only these areas: transport, upgrade, connections/],
    ['info,connections=loud', /^must be a level/],
    ['info,connections=debug,connections=warn', /^must name each area once/],
    ['info,connections=debug=warn', /^must name each area once/],
    ['info,warn', /^must have one level/],
    ['info,', /^must have one level/],
    ['', /^must be a level/],
    ['info,__proto__=debug', /^must name only these areas/],
  ])('%j is refused, with what it must be', (text, message) => {
    expect(() => readLogLevels(text)).toThrow(message);
  });
});

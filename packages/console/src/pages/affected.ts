import { call, pathOf } from '../data/api.js';
import type { ChannelSummary, SessionPage } from '../data/answers.js';
import { count } from '../ui/text.js';

const LIMIT = 1_000;

export function plural(number: number, one = 'session'): string {
  return number === 1 ? `1 ${one}` : `${count(number)} ${one}s`;
}

/** How many sessions an act on a user concerns, before it is done. */
export async function sessionsOf(userId: string): Promise<string> {
  const { sessions, missing } = await call<SessionPage>('GET', pathOf(['sessions'], { userId, limit: LIMIT }));
  const found = sessions.length === LIMIT ? `${count(LIMIT)} or more sessions` : plural(sessions.length);
  return `${found}${unanswered(missing)}`;
}

/** How many sessions a publication would go to. */
export async function subscribersOf(channel: string): Promise<string> {
  // The channel itself is the first of those that begin with its name.
  const { channels, missing } = await call<{
    readonly channels: readonly ChannelSummary[];
    readonly missing: readonly string[];
  }>('GET', pathOf(['channels'], { prefix: channel, limit: 1 }));
  const found = channels.find((one) => one.channel === channel);
  return `${plural(found?.subscribers ?? 0)}${unanswered(missing)}`;
}

function unanswered(missing: readonly string[]): string {
  return missing.length === 0 ? '' : ` (no answer from ${missing.join(', ')})`;
}

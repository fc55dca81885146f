import type { QueuesAnswer } from './queues.answer.js';
import type { Session } from '../../sessions/session.js';

type Totals = Pick<QueuesAnswer['outbound'], 'sessions' | 'bytes' | 'messages' | 'top'>;

/** Adds up the queues of sessions, and keeps those with the most bytes. */
export class Fullest {
  private readonly top: Totals['top'][number][] = [];
  private sessions = 0;
  private bytes = 0;
  private messages = 0;

  constructor(private readonly limit: number) {}

  add(session: Session, bytes: number, messages: number): void {
    if (bytes === 0 && messages === 0) return;
    this.sessions += 1;
    this.bytes += bytes;
    this.messages += messages;
    const { top, limit } = this;
    if (top.length === limit && bytes <= (top.at(-1)?.bytes ?? 0)) return;
    const place = top.findIndex((other) => other.bytes < bytes);
    const entry = { sessionId: session.id, userId: session.userId, bytes, messages };
    top.splice(place === -1 ? top.length : place, 0, entry);
    if (top.length > limit) top.pop();
  }

  answer(): Totals {
    const { sessions, bytes, messages, top } = this;
    return { sessions, bytes, messages, top };
  }
}

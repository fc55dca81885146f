import { Session } from 'node:inspector';

/**
 * V8 counts statements for a whole process, and stops as soon as any session that used the profiler ends. Tests of CPU
 * profiles end such sessions, and what their worker ran afterwards would not be counted. So no session ends; one that
 * nothing refers to would.
 */
const kept = new Set<Session>();
Session.prototype.disconnect = function keep(this: Session) {
  kept.add(this);
};

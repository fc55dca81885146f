import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const NAMESPACE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
/** For an account that is not root: a user namespace, where the kernel allows one. */
const AS_USER = ['--user', '--map-root-user'];
/** Linux counts processor time in these for every program, whatever its kernel was built with. */
const TICK_MS = 10;

const SIGHUP = 1n << 0n;

/** What makes a command process 1 of a PID namespace, as in a container; undefined where this account may not do that. */
export function processOneWrapper(): readonly string[] | undefined {
  const ways = [NAMESPACE, [...NAMESPACE, ...AS_USER]];
  return ways.find(([command = '', ...parameters]) => spawnSync(command, [...parameters, 'true']).status === 0);
}

/** A process of a PID namespace, looked at from outside. */
export class InnerProcess {
  private constructor(private readonly pid: number) {}

  /** Resolves once the process has a child. */
  static async childOf(parent: number): Promise<InnerProcess> {
    for (;;) {
      const child = read(`/proc/${parent}/task/${parent}/children`).split(' ')[0];
      if (child !== undefined && child !== '') return new InnerProcess(Number(child));
      if (read(`/proc/${parent}/stat`) === '') throw new Error('it ended before it had a child');
      await pause(1);
    }
  }

  child(): Promise<InnerProcess> {
    return InnerProcess.childOf(this.pid);
  }

  /** Node handles SIGTERM itself from its first moment, which as process 1 has no effect. SIGHUP is handled by its program only. */
  async handlesSighup(): Promise<void> {
    while ((this.caught() & SIGHUP) === 0n) {
      if (!this.isRunning()) throw new Error('it ended before it handled signals');
      await pause(1);
    }
  }

  /** Until it has used so much of a processor: the one clock of a start that a busy machine does not slow down. */
  async hasUsed(milliseconds: number): Promise<void> {
    while (this.isRunning() && this.used() < milliseconds) await pause(1);
  }

  used(): number {
    const fields = read(`/proc/${this.pid}/stat`).split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS;
  }

  sigterm(): void {
    process.kill(this.pid, 'SIGTERM');
  }

  private isRunning(): boolean {
    return read(`/proc/${this.pid}/stat`) !== '';
  }

  private caught(): bigint {
    return BigInt(`0x${/^SigCgt:\s*(\w+)$/m.exec(read(`/proc/${this.pid}/status`))?.[1] ?? 0}`);
  }
}

/** Empty where the process is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.js';
import { EngineHost } from '../cluster/remote/engine-host.js';
import type { WorkerStatus } from '../lifecycle/worker-messages.js';
import { Logging } from '../observability/logs/logging.js';
import { canReusePort } from '../transport/shared-port.js';
import { clusterWorkers } from './cluster-workers.js';
import { MetricsExchange } from './metrics-exchange.js';
import { PrimaryMetrics } from './primary-metrics.js';
import { Supervisor, WorkersFailed } from './supervisor.js';
import type { StartWorker } from './worker-process.js';

/** The process that starts and supervises the workers, and keeps what they share unless Redis does. */
export class Primary {
  private logging: Logging | undefined;
  private supervisor: Supervisor | undefined;
  private engine: HostedEngine | undefined;

  /**
   * @param fail ends the process if no worker can run any more
   * @param workersOf how workers are started; their engine is behind the socket at the path
   */
  constructor(
    private readonly settings: Settings,
    private readonly fail: (error: Error) => void,
    private readonly workersOf: typeof clusterWorkers = clusterWorkers,
  ) {}

  /** Only after the start. */
  get logger(): Logger {
    if (this.logging === undefined) throw new Error('The primary has not started');
    return this.logging.logs.of('lifecycle');
  }

  /**
   * Resolves with the port when the workers listen.
   *
   * @throws WorkersFailed if none can start, UnusableSettings if their socket cannot be opened
   */
  async start(): Promise<number> {
    const { settings } = this;
    this.logging = await Logging.open(settings);
    try {
      if (settings.cluster.redisUrl === undefined) this.engine = await HostedEngine.open(settings, this.logger);
      const { logger, engine } = this;
      this.supervisor = supervise(settings, { logger, engine, start: this.workersOf(settings, engine?.path) });
      this.supervisor.on('hopeless', (reason) => this.giveUp(reason));
      return await this.supervisor.start();
    } catch (error) {
      this.kill();
      throw error;
    }
  }

  get workers(): readonly WorkerStatus[] {
    return this.supervisor?.workers ?? [];
  }

  announce(cause: string): void {
    this.logger.info({ cause }, 'shutting down; send the signal again to exit at once');
  }

  /** Replaces the workers one at a time. Never rejects. */
  async roll(): Promise<void> {
    const { supervisor, logging } = this;
    if (supervisor === undefined || logging === undefined) return;
    this.logger.info('rolling restart: replacing the workers one at a time');
    try {
      await supervisor.roll();
      this.logger.info('rolling restart: all workers are new');
    } catch (error) {
      const reason = (error as Error).message;
      this.logger.error({ reason }, 'rolling restart: stopped, and the workers that were not replaced go on');
    }
  }

  /** Drains and ends all workers. */
  async close(): Promise<void> {
    await this.supervisor?.stop('the server shuts down');
    await this.engine?.close();
    await this.logging?.close();
  }

  /** Ends everything at once. */
  kill(): void {
    this.supervisor?.kill();
    this.engine?.removeFolder();
  }

  private giveUp(reason: string): void {
    this.kill();
    this.fail(new WorkersFailed(`No worker can run: ${reason}`));
  }
}

interface SupervisionParts {
  readonly logger: Logger;
  readonly engine: HostedEngine | undefined;
  readonly start: StartWorker;
}

function supervise(settings: Settings, { logger, engine, start }: SupervisionParts): Supervisor {
  const { workers, lifecycle, server } = settings;
  const supervisor = new Supervisor({
    count: workers.count,
    start,
    startTimeoutMs: workers.startTimeoutMs,
    drainTimeoutMs: lifecycle.drainTimeoutMs,
    // Without reusePort, node:cluster gives all workers that listen on port 0 the same port.
    isPortUnknown: server.port === 0 && canReusePort(),
  });
  const metrics = new PrimaryMetrics(supervisor, engine?.host);
  const exchange = new MetricsExchange({
    workers: () => supervisor.running,
    send: (worker, message) => supervisor.send(worker, message),
    own: () => metrics.read(),
  });
  supervisor.on('said', (worker, message) => exchange.hear(worker, message));
  supervisor.on('failed', (worker, reason, pauseMs) =>
    logger.error({ worker, reason, pauseMs }, 'a worker ended; it is started again after a pause'),
  );
  return supervisor;
}

/** The engine that workers share, and the folder of its socket. */
class HostedEngine {
  private constructor(
    readonly host: EngineHost,
    readonly path: string,
    private readonly folder: string | undefined,
  ) {}

  static async open({ workers, channels, replay }: Settings, logger: Logger): Promise<HostedEngine> {
    const folder = workers.socket === undefined ? mkdtempSync(join(tmpdir(), 'gatehouse-')) : undefined;
    const path = workers.socket ?? join(folder ?? '', 'engine.sock');
    const { historyBudgetBytes, stateBudgetBytes } = channels;
    try {
      const host = await EngineHost.open({ path, historyBudgetBytes, stateBudgetBytes, replay });
      host.on('overrun', () =>
        logger.warn('a worker read too slowly; its connection was cut, and its clients recover'),
      );
      host.on('crashed', (method, err) => logger.error({ err, method }, 'a call of a worker failed'));
      return new HostedEngine(host, path, folder);
    } catch (error) {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.host.close();
    this.removeFolder();
  }

  removeFolder(): void {
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
  }
}

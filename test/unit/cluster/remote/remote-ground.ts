import { join } from 'node:path';
import { EngineHost, type EngineHostOptions } from '../../../../src/cluster/remote/engine-host.js';
import { RemoteEngine } from '../../../../src/cluster/remote/remote-engine.js';
import { RemoteLink } from '../../../../src/cluster/remote/remote-link.js';
import { temporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.js';
import { eventually } from '../../../support/eventually.js';
import { REPORT, TEST_LEASE_MS } from '../store-node.js';

/** So long that no starved process misses it. */
const TIMEOUT_MS = 60_000;

/** A primary with its engine, and the workers of a test. All are in this process. */
export class RemoteGround {
  readonly path: string;
  host!: EngineHost;
  private readonly engines: RemoteEngine[] = [];

  private constructor(
    private readonly folder: TemporaryFolder,
    private readonly options: Partial<EngineHostOptions>,
  ) {
    this.path = join(folder.path, 'engine.sock');
  }

  static async start(options: Partial<EngineHostOptions> = {}): Promise<RemoteGround> {
    const ground = new RemoteGround(await temporaryFolder(), options);
    await ground.openHost();
    return ground;
  }

  async openHost(): Promise<void> {
    this.host = await EngineHost.open({
      path: this.path,
      historyBudgetBytes: 0,
      stateBudgetBytes: 0,
      replay: { windowMs: 60_000, budgetBytes: 16_777_216 },
      leaseMs: TEST_LEASE_MS,
      ...this.options,
    });
  }

  /** As a worker has it. */
  async engine(serverId = `node-${Math.random()}`): Promise<RemoteEngine> {
    const link = new RemoteLink({ path: this.path, timeoutMs: TIMEOUT_MS });
    const engine = new RemoteEngine(link, { serverId });
    this.engines.push(engine);
    await eventually('the primary answers', () => link.isUp);
    return engine;
  }

  /** A worker that has reported. */
  async node(serverId: string): Promise<RemoteEngine> {
    const engine = await this.engine(serverId);
    await engine.registry.report(REPORT);
    return engine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of this.engines) await engine.close();
    await this.host.close();
    await this.folder[Symbol.asyncDispose]();
  }
}

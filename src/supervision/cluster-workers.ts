import cluster, { type Worker } from 'node:cluster';
import { getHeapStatistics } from 'node:v8';
import type { Settings } from '../../config/settings.js';
import { WORKER_VARIABLE, type WorkerIdentity } from '../../config/worker-identity.js';
import { memoryLimitBytes } from '../lifecycle/heap.js';
import type { FromPrimary, FromWorker } from '../lifecycle/worker-messages.js';
import { WorkerProcess, type StartWorker } from './worker-process.js';

const MIB = 1_048_576;
/** The rest is for what is not in a heap: buffers, sockets, and the system. */
const HEAP_SHARE_OF_MEMORY = 0.75;

class ClusterWorker extends WorkerProcess {
  constructor(private readonly worker: Worker) {
    super();
    worker.on('message', (message: FromWorker) => this.emit('said', message));
    worker.on('exit', (code, signal) => this.emit('exited', { code, signal }));
    // A worker that ends closes the channel: its exit says the rest.
    worker.on('error', () => {});
  }

  get pid(): number {
    return this.worker.process.pid ?? 0;
  }

  send(message: FromPrimary): void {
    if (this.worker.isConnected()) this.worker.send(message, () => {});
  }

  kill(): void {
    this.worker.process.kill('SIGKILL');
  }
}

/** Starts workers as processes of node:cluster, with the program and the arguments of this one. */
export function clusterWorkers(settings: Settings, engine: string | undefined): StartWorker {
  const { workers, server, authentication, madeDevelopmentSecret } = settings;
  cluster.setupPrimary({ execArgv: [...process.execArgv, ...heapLimit(workers.count)] });
  return ({ number, port, greets }) => {
    const identity: WorkerIdentity = {
      number,
      count: workers.count,
      serverId: server.serverId,
      port,
      engine,
      developmentSecret: madeDevelopmentSecret ? authentication.jwtSecret : undefined,
      greets,
    };
    return new ClusterWorker(cluster.fork({ [WORKER_VARIABLE]: JSON.stringify(identity) }));
  };
}

/** Node gives each process as much heap as if it were alone. */
function heapLimit(count: number): readonly string[] {
  const isChosen = /max[-_]old[-_]space[-_]size/.test([...process.execArgv, process.env.NODE_OPTIONS].join(' '));
  if (isChosen) return [];
  // The primary has a heap, too.
  const share = (memoryLimitBytes() * HEAP_SHARE_OF_MEMORY) / (count + 1);
  const bytes = Math.min(share, getHeapStatistics().heap_size_limit);
  return [`--max-old-space-size=${Math.floor(bytes / MIB)}`];
}

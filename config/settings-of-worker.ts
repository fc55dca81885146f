import type { Settings } from './settings.js';
import type { WorkerIdentity } from './worker-identity.js';

/** The settings of one worker: its own name, and its share of what is limited for the machine. */
export function settingsOfWorker(settings: Settings, worker: WorkerIdentity): Settings {
  const share = (value: number): number => Math.ceil(value / worker.count);
  const { server, connections, upgrade, inbound, outbound, audit, authentication, workers } = settings;
  const jwtSecret = worker.developmentSecret ?? authentication.jwtSecret;
  return Object.freeze(
    Object.assign({}, settings, {
      workers: Object.freeze({ ...workers, self: worker }),
      server: Object.freeze({
        ...server,
        serverId: nameOfWorker(worker.serverId, worker.number),
        port: worker.port ?? server.port,
      }),
      authentication: Object.freeze({ ...authentication, jwtSecret }),
      connections: Object.freeze({
        ...connections,
        max: share(connections.max),
        maxPendingUpgrades: share(connections.maxPendingUpgrades),
      }),
      upgrade: Object.freeze({ ...upgrade, maxWaiting: share(upgrade.maxWaiting) }),
      inbound: Object.freeze({ ...inbound, budgetBytes: share(inbound.budgetBytes) }),
      outbound: Object.freeze({ ...outbound, budgetBytes: share(outbound.budgetBytes) }),
      audit: Object.freeze({ ...audit, linesPerGroup: share(audit.linesPerGroup) }),
    }),
  );
}

/** The SERVER_ID of a worker. */
export function nameOfWorker(serverId: string, number: number): string {
  return `${serverId}-${number}`;
}

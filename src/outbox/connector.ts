import { UnusableSettings } from '../../config/unusable-settings.js';
import type { Connect } from './outbox-database.js';

const CONNECT_TIMEOUT_MS = 5_000;
/** Above the timeout of the database, which has the better error. */
const QUERY_TIMEOUT_MS = 35_000;

/**
 * Returns what opens connections to a database.
 *
 * @param load loads the package, which may not be installed
 * @throws UnusableSettings with the line that installs it
 */
export async function connector(url: string, load = () => import('pg')): Promise<Connect> {
  const { default: pg } = await load().catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UnusableSettings(['POSTGRES_URL needs a package that is not installed. Run: npm install pg@8']);
  });
  return async () => {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'gatehouse',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
    });
    try {
      await client.connect();
    } catch (error) {
      client.on('error', () => {});
      void client.end().catch(() => undefined);
      throw error;
    }
    return client;
  };
}

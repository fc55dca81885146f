import { once } from 'node:events';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { UnusableSettings } from '../../../config/unusable-settings.js';

/** The kernel's limit on Linux is 107 bytes; on macOS 103. */
const MAX_PATH_BYTES = 103;
const OWNER_ONLY = 0o600;

/**
 * Listens on a unix socket that only this account can open. A socket that an earlier process left behind is replaced.
 *
 * @throws UnusableSettings if the path is too long, taken, or not writable
 */
export async function openSocket(path: string, accept: (socket: Socket) => void): Promise<Server> {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES)
    throw new UnusableSettings([`WORKERS_SOCKET: ${path} has ${bytes} bytes, and a socket may have ${MAX_PATH_BYTES}`]);
  await removeRemains(path);
  const server = createServer(accept);
  // Nobody else can open it in the moment before its mode is set.
  const formerMask = process.umask(0o177);
  try {
    server.listen(path);
    await once(server, 'listening');
    chmodSync(path, OWNER_ONLY);
  } catch (error) {
    throw new UnusableSettings([`WORKERS_SOCKET: ${path} cannot be opened (${(error as NodeJS.ErrnoException).code})`]);
  } finally {
    process.umask(formerMask);
  }
  return server;
}

async function removeRemains(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new UnusableSettings([`WORKERS_SOCKET: ${path} exists and is not a socket`]);
  if (await isAnswered(path))
    throw new UnusableSettings([`WORKERS_SOCKET: ${path} is in use by another process. Choose another path`]);
  unlinkSync(path);
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

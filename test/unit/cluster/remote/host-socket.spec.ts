import { once } from 'node:events';
import { renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSocket } from '../../../../src/cluster/remote/host-socket.js';
import { temporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.js';

describe('the socket of the primary', () => {
  let folder: TemporaryFolder;
  let path: string;
  const servers: Server[] = [];
  const open = async (at = path): Promise<void> =>
    void servers.push(await openSocket(at, (socket) => socket.destroy()));

  beforeEach(async () => {
    folder = await temporaryFolder();
    path = join(folder.path, 'engine.sock');
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) server.close();
    await folder[Symbol.asyncDispose]();
  });

  it('can be opened by its owner alone', async () => {
    await open();
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
  });

  it('refuses a path that is too long, and says how long it may be', async () => {
    await expect(open(join(folder.path, 'x'.repeat(120)))).rejects.toThrow(
      /WORKERS_SOCKET: .* bytes, and a socket may have 103/,
    );
  });

  it('refuses a path where a file is, and leaves the file', async () => {
    writeFileSync(path, 'precious');
    await expect(open()).rejects.toThrow(/exists and is not a socket/);
    expect(statSync(path).size).toBe(8);
  });

  it('refuses the path of a primary that lives', async () => {
    await open();
    await expect(open()).rejects.toThrow(/is in use by another process/);
  });

  it('refuses a folder that is not there', async () => {
    await expect(open(join(folder.path, 'none', 'engine.sock'))).rejects.toThrow(/cannot be opened \(E[A-Z]+\)/);
  });

  it('takes the place of a socket that a killed primary left', async () => {
    const left = createServer();
    left.listen(path);
    await once(left, 'listening');
    // Closed without removing the file, as the kernel closes it for a killed process.
    renameSync(path, `${path}.kept`);
    left.close();
    await once(left, 'close');
    renameSync(`${path}.kept`, path);
    await open();
    expect(servers[0]?.listening).toBe(true);
  });
});

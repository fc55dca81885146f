import type { IncomingMessage, Server } from 'node:http';
import { Server as TlsServer } from 'node:tls';
import type { Upgrade } from '../upgrade/decision.js';

/**
 * Gives the connection back to Node's HTTP server, as if the request had offered nothing, which RFC 9110 §7.8 always
 * allows. Node passes every request with an Upgrade header to the upgrade listener, whatever its method, and reads
 * neither its body nor anything after it. So the request is put back in front of the received bytes, without the
 * header.
 */
export function continueAsHttp(server: Server, { request, socket, head }: Upgrade): void {
  socket.unshift(Buffer.concat([headOf(request), head]));
  // The documented way to give a connection to a server. For a TLS server, one whose handshake is complete.
  server.emit(server instanceof TlsServer ? 'secureConnection' : 'connection', socket);
}

/** The bytes of the request up to its body. Node decodes the target and the headers as Latin-1. */
function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.toLowerCase() !== 'upgrade') text += `${name}: ${rawHeaders[index + 1] ?? ''}\r\n`;
  }
  return Buffer.from(`${text}\r\n`, 'latin1');
}

import { ExpressAdapter } from '@nestjs/platform-express';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { TlsOptions } from 'node:tls';
import { plainProblem, writeProblem } from './problem-json.js';

/** How long running HTTP requests may take after the last session has left. */
const LAST_REQUESTS_MS = 1_000;

type OnCrash = (exception: unknown) => void;

/** @param tls undefined: plain HTTP */
export function createHttpServer(tls: TlsOptions | undefined, handle: RequestListener): Server {
  return tls ? createTlsServer(tls, handle) : createServer(handle);
}

/**
 * The Express instance of this server. It answers unknown paths and errors outside of routes itself, because Nest's
 * answers would quote the URL.
 */
export class HttpAdapter extends ExpressAdapter {
  constructor(
    private readonly tls: TlsOptions | undefined,
    private readonly onCrash: OnCrash,
  ) {
    super();
  }

  override initHttpServer(): void {
    this.httpServer = createHttpServer(this.tls, this.getInstance<RequestListener>());
  }

  /**
   * Called when the last session has left. Node would wait for every connection without a finished request, possibly
   * forever: for example one that a load balancer or browser opened in advance.
   */
  override close(): Promise<void> {
    const { httpServer } = this;
    setTimeout(() => httpServer.closeAllConnections(), LAST_REQUESTS_MS).unref();
    return super.close() as Promise<void>;
  }

  override setNotFoundHandler(): this {
    return this.use((_request: IncomingMessage, response: ServerResponse) => answerNotFound(response));
  }

  override setErrorHandler(): this {
    // Express recognises an error handler by its four parameters.
    return this.use((error: unknown, _request: IncomingMessage, response: ServerResponse, _next: () => void) => {
      const status = statusOf(error);
      if (status === 500) this.onCrash(error);
      writeProblem(response, plainProblem(status));
    });
  }
}

export function answerNotFound(response: ServerResponse): void {
  writeProblem(response, plainProblem(404, 'Nothing is served at this path'));
}

/** Express and its parts mark client errors with `status`, such as a URL that cannot be decoded. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  return status >= 400 && status < 500 ? status : 500;
}

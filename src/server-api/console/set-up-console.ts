import type { NestExpressApplication } from '@nestjs/platform-express';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Settings } from '../../../config/settings.js';
import { plainProblem, writeProblem } from '../../transport/problem-json.js';
import { CONSOLE_PAGE, ConsoleFile, readConsoleFiles } from './console-files.js';

/** In the page, replaced by the address of the WebSocket. */
const WS_URL = '__GATEHOUSE__';
/** Pages that are kept, one for each name under which the server is reached. Further ones are made each time. */
const KEPT_PAGES = 8;
const HOST_NAME = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?=:\d+$|$)/i;

interface PageRequest extends IncomingMessage {
  readonly originalUrl: string;
}

type Answerer = (request: PageRequest, response: ServerResponse) => void;

/**
 * The console: a page for operators, and its two files. It has no rights of its own: everything that it shows comes from
 * the server API and the WebSocket, with the token of the operator.
 */
export function setUpConsole(app: NestExpressApplication, settings: Settings, prefix: string): void {
  if (settings.api.console === 'off') return;
  const files = readConsoleFiles();
  const path = `${prefix}/console`;
  const facts = factsOf(app, settings);
  const http = app.getHttpAdapter();
  const pages = new Map<string, ConsoleFile>();

  const serve = (at: string, answer: Answerer): void => {
    http.get(at, (request: unknown, response: unknown) => answer(request as PageRequest, response as ServerResponse));
  };

  serve(path, (request, response) => {
    if (/\/(?:\?|$)/.test(request.originalUrl))
      return redirect(response, request.originalUrl.replace(/\/(?=\?|$)/, ''));
    if (files === undefined) return notBuilt(response);
    const { wsUrl, origin } = facts(request);
    const page = pages.get(wsUrl) ?? pageOf(files.get(CONSOLE_PAGE), wsUrl);
    if (pages.size < KEPT_PAGES) pages.set(wsUrl, page);
    response.setHeader('Content-Security-Policy', contentSecurityPolicy(origin));
    // The page may not be kept, because the address of the WebSocket stands in it.
    response.setHeader('Cache-Control', 'no-store');
    send(page, request, response);
  });
  for (const name of ['console.js', 'console.css']) {
    serve(`${path}/${name}`, (request, response) => {
      const file = files?.get(name);
      if (file === undefined) return notBuilt(response);
      response.setHeader('Cache-Control', 'no-cache');
      send(file, request, response);
    });
  }
}

/** @param webSocketOrigin of the WebSocket, if it is not at the origin of the page */
function contentSecurityPolicy(webSocketOrigin: string | undefined): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `connect-src 'self'${webSocketOrigin === undefined ? '' : ` ${webSocketOrigin}`}`,
    "img-src 'self' data:",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

interface Facts {
  /** A path on the origin of the page, or a whole address. */
  readonly wsUrl: string;
  readonly origin: string | undefined;
}

/** On an internal port, the page is on another port than the WebSocket, which is on the same host. */
function factsOf(
  app: NestExpressApplication,
  { server, internal, tls }: Settings,
): (request: IncomingMessage) => Facts {
  if (internal.port === 0) return () => ({ wsUrl: server.wsPath, origin: undefined });
  return ({ headers }) => {
    const name = HOST_NAME.exec(headers.host ?? '')?.[0] ?? '127.0.0.1';
    const { port } = app.getHttpServer().address() as AddressInfo;
    const origin = `${tls.certFile === undefined ? 'ws' : 'wss'}://${name}:${port}`;
    return { wsUrl: `${origin}${server.wsPath}`, origin };
  };
}

function pageOf(file: ConsoleFile | undefined, wsUrl: string): ConsoleFile {
  const html = (file?.plain ?? Buffer.alloc(0)).toString();
  return new ConsoleFile(Buffer.from(html.replace(WS_URL, escaped(wsUrl))), file?.type ?? 'text/html');
}

function escaped(text: string): string {
  return text.replace(/[&"<>]/g, (character) => `&#${character.codePointAt(0)};`);
}

function send(file: ConsoleFile, { headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Content-Type', file.type);
  response.setHeader('Vary', 'Accept-Encoding');
  response.setHeader('ETag', file.etag);
  if (headers['if-none-match'] === file.etag) {
    response.statusCode = 304;
    response.end();
    return;
  }
  const takesGzip = /\bgzip\b/.test(headers['accept-encoding'] ?? '');
  if (takesGzip) response.setHeader('Content-Encoding', 'gzip');
  response.end(takesGzip ? file.compressed : file.plain);
}

function redirect(response: ServerResponse, target: string): void {
  response.statusCode = 308;
  response.setHeader('Location', target);
  response.end();
}

function notBuilt(response: ServerResponse): void {
  writeProblem(response, plainProblem(503, 'The console is not built: run npm run build'));
}

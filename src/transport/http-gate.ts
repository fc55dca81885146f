import type { NestExpressApplication } from '@nestjs/platform-express';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { secureRequestReader } from '../upgrade/ladder/secure-request.js';
import { answerNotFound } from './http-adapter.js';
import { InternalPort } from './internal-port.js';
import { plainProblem, writeProblem } from './problem-json.js';
import { bodyRefuser } from './request-body.js';
import { securityHeaders } from './security-headers.js';
import { TransportEvents } from './transport-events.js';
import type { TransportSettings } from './transport-settings.js';

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

const METRICS = '/metrics';
/** What is on the internal port only, where there is one. */
const FOR_OPERATORS = ['/api', '/console', '/docs', '/docs-json', '/contract', METRICS];
/** Orchestrators ask from inside, without TLS, and the answers are no secret. */
const FOR_PROBES = new Set(['/health', '/ready']);
const BEARER = /^bearer[ \t]+(\S+)$/i;

/** The middleware in front of every HTTP request of a server of its own. Must be installed first. */
export function setUpHttp(app: NestExpressApplication, settings: TransportSettings): void {
  app.disable('x-powered-by');
  guardPaths(app, settings, '');
}

/** The middleware in front of every HTTP request below the prefix. */
export function guardPaths(app: NestExpressApplication, settings: TransportSettings, prefix: string): void {
  const { tls, internal } = settings;
  const events = app.get(TransportEvents, { strict: false });
  const internalPort = app.get(InternalPort, { strict: false });
  const all = `${prefix}/`;
  app.use(all, securityHeaders(settings));
  if (tls.required === 'on') app.use(all, tlsDemand(settings, internalPort, events));
  const forOperators = FOR_OPERATORS.map((path) => `${prefix}${path}`);
  if (internal.port > 0) app.use(forOperators, onlyBy(internalPort));
  if (internal.metricsEnabled === 'off') app.use(`${prefix}${METRICS}`, nobody);
  if (internal.metricsToken !== undefined) app.use(`${prefix}${METRICS}`, tokenDemand(internal.metricsToken, events));
}

/** The middleware behind the server API, which has read its bodies by then, and in front of everything else. */
export function refuseBodies(app: NestExpressApplication): void {
  app.use(bodyRefuser(app.get(TransportEvents, { strict: false })));
}

function tlsDemand({ server }: TransportSettings, internalPort: InternalPort, events: TransportEvents): Middleware {
  const isSecure = secureRequestReader(server);
  return (request, response, next) => {
    const path = pathOf(request.url);
    const isExempt = FOR_PROBES.has(path) || (path === METRICS && internalPort.has(request));
    if (isExempt || isSecure(request)) return next();
    events.emit('refused', 'tls_required');
    writeProblem(response, plainProblem(403, 'TLS is required: use https'));
  };
}

function onlyBy(internalPort: InternalPort): Middleware {
  return (request, response, next) => (internalPort.has(request) ? next() : answerNotFound(response));
}

const nobody: Middleware = (_request, response) => answerNotFound(response);

function tokenDemand(token: string, events: TransportEvents): Middleware {
  const demanded = digest(token);
  return ({ headers }, response, next) => {
    const [, given = ''] = BEARER.exec(headers.authorization ?? '') ?? [];
    // Digests have the same length, and comparing them reveals nothing about the token.
    if (timingSafeEqual(digest(given), demanded)) return next();
    events.emit('refused', 'metrics_token');
    writeProblem(response, plainProblem(401, 'A token is required'), { 'WWW-Authenticate': 'Bearer' });
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function pathOf(url = '/'): string {
  return url.split('?', 1)[0] ?? '';
}

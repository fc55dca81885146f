import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { ServerResponse } from 'node:http';
import type { Settings } from '../../config/settings.js';
import { VERSION } from '../../config/version.js';
import { ApiEntrance } from './http/api-entrance.js';
import type { ApiRequest } from './http/caller.js';
import { ServerApiModule } from './server-api.module.js';

const DESCRIPTION = `For back ends and operators. Every path under \`/api\` needs a token with the role \`ADMIN\` or
\`SERVICE\`: \`npm run token -- --sub backend --roles SERVICE\`. Errors are \`application/problem+json\` (RFC 9457).`;

/** Everything comes from this server. Swagger UI uses styles in attributes. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The middleware of the server API, which must come before Nest's own. Call it before the server listens. */
export function setUpServerApi(app: NestExpressApplication, { api }: Settings, prefix: string): void {
  if (api.enabled === 'off') return;
  const entrance = app.get(ApiEntrance, { strict: false });
  app.use(`${prefix}/api`, (request: ApiRequest, response: ServerResponse, next: () => void) =>
    entrance.enter(request, response, next),
  );
}

/** The page that shows the API, and its OpenAPI document. */
export function setUpDocs(app: NestExpressApplication, { api }: Settings, prefix: string): void {
  if (api.docs === 'off') return;
  app.use(
    [`${prefix}/docs`, `${prefix}/docs-json`],
    (_request: ApiRequest, response: ServerResponse, next: () => void) => {
      response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
      next();
    },
  );
  SwaggerModule.setup(`${prefix}/docs`, app, () => documentOf(app), {
    raw: ['json'],
    customSiteTitle: 'Gatehouse server API',
    // Otherwise the page would ask swagger.io whether the document is valid.
    swaggerOptions: { validatorUrl: null },
  });
}

/** The OpenAPI document of every endpoint of this module. */
function documentOf(app: NestExpressApplication): OpenAPIObject {
  const outline = new DocumentBuilder()
    .setTitle('Gatehouse server API')
    .setDescription(DESCRIPTION)
    .setVersion(VERSION)
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    .build();
  return SwaggerModule.createDocument(app, outline, { include: [ServerApiModule] });
}

import type { NestExpressApplication } from '@nestjs/platform-express';
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Settings } from '../../../config/settings.js';
import { ContractBuilder } from '../contract-builder.js';
import { contractFilesOf, DOCUMENT_FILE, TYPES_FILE } from '../contract-files.js';
import type { ContractModel } from '../contract-model.js';
import { contractPage, STYLE } from './contract-page.js';

interface Page {
  readonly path: string;
  readonly type: string;
  readonly render: (model: ContractModel) => string | undefined;
}

const PAGES: readonly Page[] = [
  { path: '', type: 'text/html; charset=utf-8', render: contractPage },
  { path: `/${DOCUMENT_FILE}`, type: 'application/json', render: (model) => contractFilesOf(model).get(DOCUMENT_FILE) },
  {
    path: `/${TYPES_FILE}`,
    type: 'text/plain; charset=utf-8',
    render: (model) => contractFilesOf(model).get(TYPES_FILE),
  },
];

/** Nothing but the style that stands in the page. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The contract of the running server, where the page of the server API is. */
export function setUpContract(app: NestExpressApplication, { api }: Settings, prefix: string): void {
  if (api.docs === 'off') return;
  const builder = app.get(ContractBuilder, { strict: false });
  for (const page of PAGES) {
    app.getHttpAdapter().get(`${prefix}/contract${page.path}`, async (_request: unknown, response: unknown) => {
      send(page, await builder.build(), response as ServerResponse);
    });
  }
}

function send({ path, type, render }: Page, model: ContractModel, response: ServerResponse): void {
  if (path === '') response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  response.setHeader('Content-Type', type);
  response.end(render(model));
}

import type { ContractModel, RequestModel } from '../contract-model.js';
import { typeText } from '../rendering/type-text.js';
import { typesOf } from '../rendering/typescript.js';
import type { JsonSchema } from '../schemas/json-schema.js';

export const STYLE = [
  'body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}',
  'table{border-collapse:collapse;width:100%;margin-bottom:2rem}',
  'th,td{text-align:left;vertical-align:top;padding:.4rem .8rem;border-bottom:1px solid #8884}',
  'code,pre{font:14px/1.5 ui-monospace,monospace}',
  'pre{overflow:auto;padding:1rem;background:#8881}',
  ':root{color-scheme:light dark}',
].join('');

/** The contract for people: every message in a table, and the types below. */
export function contractPage(model: ContractModel): string {
  const requests = model.requests.map((request) => [
    request.type,
    dataText(request.data),
    dataText(request.reply),
    rulesText(request),
  ]);
  const events = model.events.map(({ type, data }) => [type, dataText(data)]);
  const channels = model.publications.map(({ namespace, data }) => [`${namespace}:*`, dataText(data)]);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Gatehouse: messages</title>',
    `<style>${STYLE}</style></head><body><h1>Messages of this server</h1>`,
    '<p><a href="contract/asyncapi.json">asyncapi.json</a> is the AsyncAPI 3.0 document, and ',
    '<a href="contract/messages.ts">messages.ts</a> the same as TypeScript.</p>',
    table('Requests', ['type', 'data', 'reply', 'rules'], requests),
    table('Events', ['type', 'data'], events),
    table('Channels', ['pattern', 'data of publications'], channels),
    `<h2>Types</h2><pre>${escaped(typesOf(model))}</pre></body></html>`,
  ].join('');
}

function table(heading: string, columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = columns.map((column) => `<th>${column}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td><code>${escaped(cell)}</code></td>`).join('')}</tr>`);
  return `<h2>${heading}</h2><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}

function dataText(data: JsonSchema | undefined): string {
  return data === undefined ? '' : typeText(data);
}

function rulesText({ path, rules: { roles, signedIn, cost, isOnce } }: RequestModel): string {
  return [
    path,
    ...roles.map((demand) => demand.join(' or ')),
    ...(signedIn ? ['signed in'] : []),
    ...(cost > 1 ? [`${cost} tokens`] : []),
    ...(isOnce ? ['once'] : []),
  ].join(', ');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

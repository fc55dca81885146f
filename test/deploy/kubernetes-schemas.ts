import { Ajv, type ValidateFunction } from 'ajv';
import { readFileSync } from 'node:fs';
import type { Manifest } from './manifests.js';

interface Schemas {
  /** The name of a definition by `apiVersion kind`. */
  readonly kinds: Readonly<Record<string, string>>;
  readonly definitions: Readonly<Record<string, object>>;
}

const schemas = JSON.parse(readFileSync('test/deploy/schemas/kubernetes.json', 'utf8')) as Schemas;
// Formats such as int32 are of OpenAPI. The rest is for the sake of time: 0.4 s of a core instead of 0.8.
const ajv = new Ajv({
  strict: false,
  validateFormats: false,
  validateSchema: false,
  meta: false,
  inlineRefs: false,
  code: { optimize: false },
});
ajv.addSchema({ definitions: schemas.definitions }, 'kubernetes');
const compiled = new Map<string, ValidateFunction>();

/** What Kubernetes would refuse in a manifest, fields that it does not know included. */
export function faultsOf(manifest: Manifest): string[] {
  const { apiVersion, kind } = manifest;
  const definition = schemas.kinds[`${apiVersion} ${kind}`];
  if (definition === undefined) return [`${apiVersion} ${kind} is not among the schemas`];
  const validate = compiled.get(definition) ?? ajv.compile({ $ref: `kubernetes#/definitions/${definition}` });
  compiled.set(definition, validate);
  if (validate(manifest)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${kind}${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

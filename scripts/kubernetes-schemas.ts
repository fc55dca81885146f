import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { formatted } from './formatted.js';

const TARGET = 'test/deploy/schemas/kubernetes.json';
const USAGE = `Writes ${TARGET} from the types of two packages, installed anywhere but here:

  npm install --prefix <folder> --ignore-scripts kubernetes-models @kubernetes-models/prometheus-operator
  npx tsx scripts/kubernetes-schemas.ts <folder>
`;

/** The kinds that the chart renders: the file of the type, and its name. */
const KINDS: Readonly<Record<string, string>> = {
  'v1 ConfigMap': 'kubernetes-models/v1/ConfigMap',
  'v1 Service': 'kubernetes-models/v1/Service',
  'v1 ServiceAccount': 'kubernetes-models/v1/ServiceAccount',
  'apps/v1 Deployment': 'kubernetes-models/apps/v1/Deployment',
  'autoscaling/v2 HorizontalPodAutoscaler': 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler',
  'networking.k8s.io/v1 Ingress': 'kubernetes-models/networking.k8s.io/v1/Ingress',
  'networking.k8s.io/v1 NetworkPolicy': 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy',
  'policy/v1 PodDisruptionBudget': 'kubernetes-models/policy/v1/PodDisruptionBudget',
  'monitoring.coreos.com/v1 ServiceMonitor':
    '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor',
};

type Schema = Readonly<Record<string, unknown>>;

/** Types as JSON Schema: what a type does not name is refused. */
class Schemas {
  readonly definitions: Record<string, Schema> = {};
  private readonly names = new Map<ts.Symbol, string>();

  constructor(private readonly checker: ts.TypeChecker) {}

  /** @returns the name of the definition */
  define(type: ts.Type): string {
    const known = this.names.get(type.symbol);
    if (known !== undefined) return known;
    const { name: short } = type.symbol;
    // Two groups of the API may have a type of the same name.
    const name = short in this.definitions ? `${short}_${this.names.size}` : short;
    // At once, so that a type within itself ends here.
    this.names.set(type.symbol, name);
    this.definitions[name] = {};
    this.definitions[name] = this.objectOf(type);
    return name;
  }

  private schemaOf(type: ts.Type): Schema {
    if (type.isUnion()) return this.unionOf(type);
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (type.flags & ts.TypeFlags.String) return { type: 'string' };
    if (type.flags & ts.TypeFlags.Number) return { type: 'number' };
    if (type.flags & ts.TypeFlags.Boolean) return { type: 'boolean' };
    if (!(type.flags & ts.TypeFlags.Object)) return {};
    const [element] = this.checker.isArrayType(type) ? this.checker.getTypeArguments(type as ts.TypeReference) : [];
    if (element !== undefined) return { type: 'array', items: this.schemaOf(element) };
    return type.symbol.name === '__type' ? this.objectOf(type) : { $ref: `#/definitions/${this.define(type)}` };
  }

  private unionOf({ types }: ts.UnionType): Schema {
    const present = types.filter(({ flags }) => !(flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Null)));
    const literals = present.filter((type) => type.isStringLiteral());
    if (literals.length === present.length) return { enum: literals.map(({ value }) => value) };
    if (present.every(({ flags }) => flags & ts.TypeFlags.BooleanLiteral)) return { type: 'boolean' };
    const [first, ...others] = present.map((type) => this.schemaOf(type));
    return others.length === 0 ? (first ?? {}) : { anyOf: [first, ...others] };
  }

  private objectOf(type: ts.Type): Schema {
    const index = type.getStringIndexType();
    const fields = type.getProperties();
    const properties = fields.map((field) => [field.name, this.schemaOf(this.checker.getTypeOfSymbol(field))]);
    const required = fields.filter(({ flags }) => !(flags & ts.SymbolFlags.Optional)).map(({ name }) => name);
    return {
      type: 'object',
      ...(fields.length > 0 && { properties: Object.fromEntries(properties) as Schema }),
      ...(required.length > 0 && { required }),
      additionalProperties: index === undefined ? false : this.schemaOf(index),
    };
  }
}

function versionOf(folder: string, name: string): string {
  const path = join(folder, 'node_modules', name, 'package.json');
  return `${name} ${(JSON.parse(ts.sys.readFile(path) ?? '{}') as { version: string }).version}`;
}

function schemasOf(folder: string): object {
  const paths = Object.values(KINDS).map((path) => join(folder, 'node_modules', `${path}.d.ts`));
  const program = ts.createProgram(paths, { module: ts.ModuleKind.NodeNext, strict: true, skipLibCheck: true });
  const checker = program.getTypeChecker();
  const schemas = new Schemas(checker);
  const kinds = Object.keys(KINDS).map((kind, at) => {
    const source = program.getSourceFile(paths[at] ?? '');
    const file = source && checker.getSymbolAtLocation(source);
    const type = file?.exports?.get(ts.escapeLeadingUnderscores(`I${kind.split(' ')[1]}`));
    if (type === undefined) throw new Error(`${kind} is not in ${paths[at]}`);
    return [kind, schemas.define(checker.getDeclaredTypeOfSymbol(type))];
  });
  const packages = ['kubernetes-models', '@kubernetes-models/prometheus-operator'];
  return {
    source: packages.map((name) => versionOf(folder, name)).join(', '),
    licence: 'Kubernetes and prometheus-operator: Apache-2.0; kubernetes-models: MIT, see LICENSE.kubernetes-models',
    kinds: Object.fromEntries(kinds) as object,
    definitions: schemas.definitions,
  };
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stdout.write(USAGE);
  process.exitCode = 1;
} else {
  const text = JSON.stringify(schemasOf(resolve(folder)));
  writeFileSync(TARGET, await formatted(TARGET, text));
}

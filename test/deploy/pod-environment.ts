import type { Environment } from '../../config/settings.js';
import { one, type EnvironmentVariable, type Manifest } from './manifests.js';

export const POD_NAME = 'gatehouse-7c9d8f6b5-x2x4z';
const FIELDS: Readonly<Record<string, string>> = { 'metadata.name': POD_NAME, 'status.podIP': '10.1.2.3' };
/** What is not for the server, but for the others among the variables, or for Node. */
const NO_SETTINGS = new Set(['POD_NAME', 'POD_IP', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS']);

/**
 * The variables of the container as Kubernetes makes them: `env` goes before `envFrom`, of which the later goes before.
 *
 * @param secret what the existing Secret holds
 */
export function podEnvironment(manifests: readonly Manifest[], secret: Readonly<Record<string, string>>): Environment {
  const container = containerOf(manifests);
  const environment: Record<string, string> = {};
  for (const { configMapRef } of container.envFrom) {
    const configMap = manifests.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef?.name,
    );
    Object.assign(environment, configMapRef === undefined ? secret : configMap?.data);
  }
  for (const variable of container.env) environment[variable.name] = valueOf(variable, environment, secret);
  return environment;
}

/** The names of all settings that the manifests give to the pod. */
export function settingsNamed(manifests: readonly Manifest[]): string[] {
  return Object.keys(podEnvironment(manifests, {})).filter((name) => !NO_SETTINGS.has(name));
}

function containerOf(manifests: readonly Manifest[]) {
  const [container] = one(manifests, 'Deployment').spec.template.spec.containers;
  if (container === undefined) throw new Error('the pod has no container');
  return container;
}

function valueOf(
  { value, valueFrom }: EnvironmentVariable,
  before: Environment,
  secret: Readonly<Record<string, string>>,
): string {
  if (valueFrom?.secretKeyRef !== undefined) return secret[valueFrom.secretKeyRef.key] ?? '';
  if (valueFrom?.fieldRef !== undefined) return FIELDS[valueFrom.fieldRef.fieldPath] ?? '';
  return (value ?? '').replaceAll(/\$\((\w+)\)/g, (whole, name: string) => before[name] ?? whole);
}

import { one, type Container, type Manifest, type PodSpec } from './manifests.js';

interface Subject {
  readonly manifests: readonly Manifest[];
  readonly deployment: Manifest;
  readonly pod: PodSpec;
  readonly container: Container;
}

/** @returns whether something is wrong */
type Rule = (subject: Subject) => boolean;

const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;

/** Names of kube-linter where it has the rule; the last group is ours. */
export const RULES: Readonly<Record<string, Rule>> = {
  'run-as-non-root': ({ pod: { securityContext } }) =>
    securityContext.runAsNonRoot !== true || !(Number(securityContext.runAsUser) > 0),
  'no-read-only-root-fs': ({ container }) => container.securityContext.readOnlyRootFilesystem !== true,
  'privilege-escalation-container': ({ container }) => container.securityContext.allowPrivilegeEscalation !== false,
  'privileged-container': ({ container }) => container.securityContext.privileged === true,
  'drop-all-capabilities': ({ container }) => container.securityContext.capabilities?.drop?.includes('ALL') !== true,
  'unsafe-seccomp-profile': ({ pod }) => pod.securityContext.seccompProfile?.type !== 'RuntimeDefault',
  'host-network': ({ pod }) => pod.hostNetwork === true,
  'automount-service-account-token': ({ pod }) => pod.automountServiceAccountToken !== false,
  'unset-cpu-requirements': ({ container: { resources } }) =>
    resources.requests.cpu === undefined || resources.limits.cpu === undefined,
  'unset-memory-requirements': ({ container: { resources } }) =>
    resources.requests.memory === undefined || resources.limits.memory === undefined,
  'latest-tag': ({ container: { image } }) => !/(?::(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$/.test(image),
  'no-liveness-probe': ({ container }) => container.livenessProbe?.httpGet.path !== '/health',
  'no-readiness-probe': ({ container }) => container.readinessProbe?.httpGet.path !== '/ready',
  'no-startup-probe': ({ container }) => container.startupProbe?.httpGet.path !== '/health',
  'probe-port': ({ container }) => PROBES.some((probe) => !hasPort(container, container[probe]?.httpGet.port)),
  'env-var-secret': ({ container: { env } }) =>
    env.some(({ name, value }) => value !== undefined && /SECRET|TOKEN|PASSPHRASE|KEYS$/.test(name)),
  'minimum-three-replicas': ({ manifests }) =>
    all(manifests, 'HorizontalPodAutoscaler').some(
      ({ spec }) => spec.minReplicas < 3 || spec.maxReplicas < spec.minReplicas,
    ),
  'no-rolling-update-strategy': ({ deployment }) => {
    const { maxUnavailable, maxSurge } = deployment.spec.strategy.rollingUpdate;
    return maxUnavailable !== 0 || !(Number.parseInt(String(maxSurge), 10) > 0);
  },
  'no-anti-affinity': ({ pod, deployment }) =>
    !(pod.topologySpreadConstraints ?? []).some(
      ({ topologyKey, labelSelector }) =>
        topologyKey === 'kubernetes.io/hostname' && selects(labelSelector.matchLabels, deployment),
    ),
  'mismatching-selector': ({ deployment }) => !selects(deployment.spec.selector.matchLabels, deployment),
  'dangling-service': ({ manifests, deployment }) =>
    all(manifests, 'Service').some(({ spec }) => !selects(spec.selector, deployment)),
  'dangling-networkpolicy': ({ manifests, deployment }) =>
    all(manifests, 'NetworkPolicy').some(({ spec }) => !selects(spec.podSelector.matchLabels, deployment)),
  'dangling-poddisruptionbudget': ({ manifests, deployment }) =>
    all(manifests, 'PodDisruptionBudget').some(({ spec }) => !selects(spec.selector.matchLabels, deployment)),
  'pdb-max-unavailable': ({ manifests }) =>
    all(manifests, 'PodDisruptionBudget').some(({ spec }) => !(Number.parseInt(String(spec.maxUnavailable), 10) > 0)),
  'dangling-horizontalpodautoscaler': ({ manifests, deployment }) =>
    all(manifests, 'HorizontalPodAutoscaler').some(
      ({
        spec: {
          scaleTargetRef: { kind, name },
        },
      }) => kind !== 'Deployment' || name !== deployment.metadata.name,
    ),
  'dangling-servicemonitor': ({ manifests }) =>
    all(manifests, 'ServiceMonitor').some(
      ({ spec }) =>
        !all(manifests, 'Service').some(
          (service) =>
            includes(service.metadata.labels, spec.selector.matchLabels) &&
            spec.endpoints.every(({ port }) => service.spec.ports.some(({ name }) => name === port)),
        ),
    ),
  'dangling-ingress': ({ manifests }) =>
    all(manifests, 'Ingress')
      .flatMap(({ spec }) => spec.rules.flatMap(({ http }) => http.paths))
      .some(
        ({ backend: { service } }) =>
          !all(manifests, 'Service').some(
            ({ metadata, spec }) =>
              metadata.name === service.name && spec.ports.some(({ name }) => name === service.port.name),
          ),
      ),
  'non-existent-service-account': ({ manifests, pod }) =>
    pod.serviceAccountName !== 'default' &&
    !all(manifests, 'ServiceAccount').some(({ metadata }) => metadata.name === pod.serviceAccountName),

  'grace-period': ({ pod, container }) => {
    const preStop = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
    const drainMs = container.env.find(({ name }) => name === 'DRAIN_TIMEOUT_MS')?.value;
    return preStop < 1 || !(pod.terminationGracePeriodSeconds > preStop + Number(drainMs) / 1000);
  },
  'autoscaler-and-replicas': ({ manifests, deployment }) =>
    all(manifests, 'HorizontalPodAutoscaler').length > 0 === 'replicas' in deployment.spec,
  'service-links': ({ pod }) => pod.enableServiceLinks !== false,
  'unnamed-port': ({ manifests, container }) =>
    [
      ...all(manifests, 'Service').flatMap(({ spec }) => spec.ports.map(({ targetPort }) => targetPort)),
      ...all(manifests, 'NetworkPolicy').flatMap(({ spec }) =>
        spec.ingress.flatMap(({ ports }) => ports.map(({ port }) => port)),
      ),
    ].some((port) => !hasPort(container, port)),
  'open-internal-port': ({ manifests }) =>
    all(manifests, 'NetworkPolicy')
      .flatMap(({ spec }) => spec.ingress)
      .some(({ ports, from }) => from === undefined && ports.some(({ port }) => port !== 'clients')),
  'unmounted-volume': ({ pod, container }) =>
    pod.volumes.some(({ name }) => !container.volumeMounts.some((mount) => mount.name === name)) ||
    container.volumeMounts.some((mount) => !pod.volumes.some(({ name }) => mount.name === name)),
  'stale-volume': ({ container }) => container.volumeMounts.some(({ subPath }) => subPath !== undefined),
};

/** The names of the rules that a set of manifests breaks. */
export function brokenRules(manifests: readonly Manifest[]): string[] {
  const deployment = one(manifests, 'Deployment');
  const pod = deployment.spec.template.spec;
  const [container] = pod.containers;
  if (container === undefined) throw new Error('the pod has no container');
  const subject = { manifests, deployment, pod, container };
  return Object.entries(RULES)
    .filter(([, isBroken]) => isBroken(subject))
    .map(([name]) => name);
}

function all(manifests: readonly Manifest[], kind: string): Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind);
}

function hasPort({ ports }: Container, port: string | number | undefined): boolean {
  return ports.some(({ name }) => name === port);
}

/** Whether a selector takes the pods of a Deployment, and not everything there is. */
function selects(selector: Readonly<Record<string, string>>, { spec }: Manifest): boolean {
  return Object.keys(selector).length > 0 && includes(spec.template.metadata.labels, selector);
}

function includes(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { MANIFESTS, RENDERED } from '../../scripts/chart.js';

type Labels = Readonly<Record<string, string>>;

export interface Selector {
  readonly matchLabels: Labels;
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string; readonly scheme: string };
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
  };
}

export interface Container {
  readonly image: string;
  readonly env: readonly EnvironmentVariable[];
  readonly envFrom: readonly { readonly configMapRef?: { readonly name: string } }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly resources: Readonly<Record<'requests' | 'limits', Readonly<Record<string, string>>>>;
  readonly securityContext: {
    readonly allowPrivilegeEscalation?: boolean;
    readonly privileged?: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly capabilities?: { readonly drop?: readonly string[] };
  };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[];
}

export interface PodSpec {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly hostNetwork?: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: {
    readonly runAsNonRoot?: boolean;
    readonly runAsUser?: number;
    readonly runAsGroup?: number;
    readonly seccompProfile?: { readonly type: string };
  };
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string }[];
  readonly topologySpreadConstraints?: readonly { readonly topologyKey: string; readonly labelSelector: Selector }[];
}

interface PortReference {
  readonly port: string | number;
}

/** What the rules look at; the schemas have looked at the rest. */
export interface Specification {
  readonly selector: Selector & Labels;
  readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
  readonly strategy: {
    readonly rollingUpdate: { readonly maxUnavailable: number; readonly maxSurge: number | string };
  };
  readonly podSelector: Selector;
  readonly scaleTargetRef: { readonly kind: string; readonly name: string };
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly metrics: readonly { readonly pods?: { readonly metric: { readonly name: string } } }[];
  readonly maxUnavailable: number | string;
  readonly ports: readonly { readonly name: string; readonly targetPort: string }[];
  readonly endpoints: readonly { readonly port: string; readonly scheme: string }[];
  readonly ingress: readonly { readonly ports: readonly PortReference[]; readonly from?: readonly unknown[] }[];
  readonly rules: readonly {
    readonly http: {
      readonly paths: readonly {
        readonly backend: { readonly service: { readonly name: string; readonly port: { readonly name: string } } };
      }[];
    };
  }[];
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Labels };
  readonly spec: Specification;
  readonly data: Readonly<Record<string, string>>;
}

/** As Kubernetes reads it: YAML 1.1, where `on` is true. */
export function readManifests(path: string): Manifest[] {
  return manifestsOf(readFileSync(path, 'utf8'));
}

export function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1' }).map((document) => {
    if (document.errors.length > 0) throw new Error(document.errors.join('\n'));
    return document.toJS() as Manifest;
  });
}

export function readValues(path: string): Record<string, unknown> {
  return parse(readFileSync(path, 'utf8'), { version: '1.1' }) as Record<string, unknown>;
}

/** The files that the chart was rendered into with its defaults. */
export function manifestFiles(): string[] {
  return readdirSync(MANIFESTS)
    .filter((name) => name !== 'kustomization.yaml')
    .toSorted();
}

/** What is committed, by the set of values that it was rendered with. */
export function renderings(): [string, Manifest[]][] {
  const others = readdirSync(RENDERED).filter((name) => name.endsWith('.yaml'));
  return [
    ['defaults', manifestFiles().flatMap((name) => readManifests(join(MANIFESTS, name)))],
    ...others.map((name): [string, Manifest[]] => [name.replace('.yaml', ''), readManifests(join(RENDERED, name))]),
  ];
}

/** @throws Error where there is none */
export function one(manifests: readonly Manifest[], kind: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
}

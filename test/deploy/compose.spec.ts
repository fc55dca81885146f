import { Ajv } from 'ajv';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { DEFINITIONS } from '../../config/definitions.js';
import type { Setting } from '../../config/setting.js';
import { loadSettings, type Environment } from '../../config/settings.js';
import { read } from '../docs/markdown.js';

interface Service {
  readonly image: string;
  readonly build?: object;
  readonly profiles?: readonly string[];
  readonly environment?: Record<string, string>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly logging?: { readonly options: Record<string, string> };
  readonly healthcheck?: { readonly test?: readonly string[] };
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly deploy: { replicas?: number; resources: { limits: Record<string, unknown> } };
  readonly networks: readonly string[];
}

interface Compose {
  readonly services: Record<string, Service>;
  readonly networks: Record<string, object>;
  readonly volumes: Record<string, object>;
}

const FOLDER = 'deploy';
const text = read(join(FOLDER, 'compose.yaml'));
const SETTINGS = new Set(
  Object.values(DEFINITIONS).flatMap((group) => Object.values(group).map(({ env }: Setting<unknown>) => env)),
);
/** Every name in compose.env.example, with the value it has there. */
const example = Object.fromEntries(
  [...read(join(FOLDER, 'compose.env.example')).matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(([, key = '', value = '']) => [
    key,
    value,
  ]),
);
const VARIABLE = /\$\{(\w+)(?::([-?])([^}]*))?\}/g;

/** As compose does it before it reads a value. */
function interpolate(source: string, environment: Environment): string {
  return source.replaceAll(VARIABLE, (_, name: string, kind: string | undefined, rest = '') => {
    const value = environment[name] ?? '';
    if (value === '' && kind === '?') throw new Error(`${name}: ${rest}`);
    return value === '' && kind === '-' ? rest : value;
  });
}

const FILLED = { JWT_SECRET: 's'.repeat(48), REDIS_PASSWORD: 'p1', GRAFANA_PASSWORD: 'p2' };
const compose = parse(interpolate(text, FILLED), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const service = (name: string): Service => {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found;
};
const settings = loadSettings({ NODE_ENV: 'production', ...service('gatehouse').environment });
const seconds = (duration = ''): number => Number(/^(\d+)s$/.exec(duration)?.[1]);

describe('deploy/compose.yaml', () => {
  it('is one by the schema of the Compose Specification', () => {
    const { $schema: _, ...schema } = JSON.parse(read('test/deploy/schemas/compose-spec.json')) as { $schema: string };
    const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
    const isValid = ajv.compile(schema);
    isValid(compose);
    expect(isValid.errors).toBeNull();
    isValid({ services: { one: { image: 'one', read_olny: true } } });
    expect(isValid.errors).not.toBeNull();
  });

  it('asks for nothing that compose.env.example does not name, which names nothing else', () => {
    const asked = new Set([...text.matchAll(VARIABLE)].map(([, name = '']) => name));
    expect([...asked].toSorted()).toEqual(Object.keys(example).toSorted());
  });

  it.each(Object.keys(FILLED))('does not start without %s', (name) => {
    expect(() => interpolate(text, { ...FILLED, [name]: '' })).toThrow(`${name}: set ${name} in deploy/.env`);
  });

  it('gives the server only settings that there are, and ones it starts with', () => {
    const given = Object.keys(service('gatehouse').environment ?? {});
    expect(given.filter((name) => !SETTINGS.has(name))).toEqual([]);
    expect(settings).toMatchObject({
      server: { trustProxy: 1, publicUrl: 'ws://localhost:8080/ws' },
      internal: { port: 9090, host: '0.0.0.0', metricsEnabled: 'on' },
      cluster: { redisUrl: 'redis://:p1@redis:6379' },
      api: { docs: 'off' },
    });
    expect(service('gatehouse').deploy.replicas).toBe(3);
  });

  it('has an edge node in a profile of its own, with a volume, that the nodes take messages of', () => {
    const { environment = {}, profiles, volumes, networks, build } = service('edge');
    expect({ profiles, networks, build }).toEqual({
      profiles: ['edge'],
      networks: ['outside', 'edges'],
      build: {
        context: '..',
        dockerfile: 'deploy/edge.Dockerfile',
        args: { GATEHOUSE_IMAGE: service('gatehouse').image },
      },
    });
    expect(volumes).toContain(`edge:${environment.EDGE_DIR}`);
    expect(Object.keys(environment).filter((name) => !SETTINGS.has(name))).toEqual([]);
    const here = { EDGE_DIR: tmpdir(), EDGE_FILE: join(FOLDER, 'config/edge.yaml'), EDGE_TOKEN: 'e' };
    const { edge } = loadSettings({ NODE_ENV: 'production', ...environment, ...here });
    expect(edge).toMatchObject({ upstream: 'ws://nginx:8080/ws', rules: { forward: [{ channels: ['telemetry:*'] }] } });
    expect(environment.EDGE_FILE).toBe('/etc/gatehouse/edge.yaml');
    // It reaches the centre through nginx, which passes on this path of this port.
    expect(service('nginx').networks).toContain('outside');
    expect(settings.edge.centre).toBe('off');
    const centre = parse(interpolate(text, { ...FILLED, EDGE_CENTRE: 'on' }), { merge: true }) as Compose;
    expect(centre.services.gatehouse?.environment?.EDGE_CENTRE).toBe('on');
  });

  it('asks for nothing that Docker Engine 23 does not know', () => {
    for (const file of [text, read('deploy/Dockerfile')]) expect(file).not.toMatch(/start[_-]interval/);
  });

  it('asks nginx for its health where only its own container can', () => {
    const [, address] = /listen (127\.0\.0\.1:\d+);/.exec(read('deploy/nginx/nginx.conf')) ?? [];
    const { test = [] } = service('nginx').healthcheck ?? {};
    expect(test.at(-1)).toBe(`http://${address}/`);
  });

  it('gives the server time to drain', () => {
    const graceMs = seconds(service('gatehouse').stop_grace_period) * 1000;
    // With workers, the primary kills 10 s after the drain what has not ended.
    expect(graceMs).toBeGreaterThan(settings.lifecycle.drainTimeoutMs + 10_000);
  });

  it('starts one node with several workers with deploy/compose.workers.env, with a core and memory for each', () => {
    const file = read(join(FOLDER, 'compose.workers.env'));
    const given = Object.fromEntries(
      [...file.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
    );
    expect(Object.keys(given).filter((name) => !(name in example))).toEqual([]);
    const large = parse(interpolate(text, { ...FILLED, ...given }), { merge: true }) as Compose;
    const { environment, deploy } = large.services.gatehouse ?? service('gatehouse');
    const { count } = loadSettings({ NODE_ENV: 'production', ...environment }).workers;
    expect(settings.workers.count).toBe(1);
    expect(count).toBeGreaterThan(1);
    expect(deploy.replicas).toBe(1);
    const { cpus, memory } = deploy.resources.limits;
    expect(Number(cpus)).toBeGreaterThan(count);
    expect(memory).toBe(`${count}g`);
    const command =
      'docker compose -f deploy/compose.yaml --env-file deploy/.env --env-file deploy/compose.workers.env up --build --wait';
    expect(file).toContain(command);
    expect(read('docs/deployment.md')).toContain('(../deploy/compose.workers.env)');
  });

  it.each(services)('keeps %s in bounds: no writing, no privileges, limits, a log that ends', (name, each) => {
    const { limits } = each.deploy.resources;
    expect({ ...each, limits }).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      logging: { options: { 'max-size': '10m', 'max-file': '5' } },
      limits: {
        cpus: expect.any(String) as string,
        memory: expect.any(String) as string,
        pids: expect.any(Number) as number,
      },
    });
    // PostgreSQL counts with two numbers.
    const exactly = name === 'postgres' ? /:\d+\.\d+(-\w+)?$/ : /:v?\d+\.\d+\.\d+(-\w+)?$/;
    expect(each.image).toMatch(exactly);
    // The images of the server have their own, that of Jaeger no program to ask with, and some only make something.
    const isAskedFor = each.healthcheck?.test !== undefined;
    const isOnce = each.restart === 'on-failure:5';
    expect(isAskedFor).toBe(!['gatehouse', 'edge', 'jaeger'].includes(name) && !isOnce);
  });

  it('opens to this machine only what people look at, and to nobody the nodes', () => {
    const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]));
    expect(published).toEqual([
      ['nginx', '127.0.0.1:8080:8080'],
      ['edge', '127.0.0.1:8081:8080'],
      ['grafana', '127.0.0.1:3000:3000'],
      ['jaeger', '127.0.0.1:16686:16686'],
    ]);
    const shown = new Set(['nginx', 'edge', 'grafana', 'jaeger']);
    const isClosed = (network: string): boolean => ['inside', 'edges'].includes(network);
    for (const [name, { networks = [] }] of services) if (!shown.has(name)) expect(networks.every(isClosed)).toBe(true);
    expect(compose.networks.edges).toEqual({ internal: true });
    expect(compose.networks.inside).toEqual({ internal: true });
  });

  it('mounts only what is there, and names only files that it mounts', () => {
    const mounts = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')));
    const missing = mounts.filter(([source = '']) =>
      source.startsWith('.') ? !existsSync(join(FOLDER, source)) : !(source in compose.volumes),
    );
    expect(missing).toEqual([]);
    for (const [inside, outside] of [
      ['/etc/nginx/gatehouse/nginx.conf', 'deploy/nginx/nginx.conf'],
      ['--config.file=/etc/prometheus/prometheus.yml', 'deploy/prometheus/prometheus.yml'],
    ] as const) {
      expect(text).toContain(inside);
      expect(existsSync(outside)).toBe(true);
    }
    const build = { context: '..', dockerfile: 'deploy/Dockerfile', args: { PEERS: '' } };
    expect(service('gatehouse').build).toEqual(build);
  });
});

describe('what stands around the server', () => {
  const upstream = read('deploy/nginx/upstream.conf');
  const haproxy = read('deploy/haproxy/haproxy.cfg');
  const fallbacks = loadSettings({ NODE_ENV: 'production', JWT_SECRET: FILLED.JWT_SECRET });

  it('looks for it where it is', () => {
    const { port } = settings.server;
    expect(upstream).toContain(`server gatehouse:${port} resolve`);
    expect(haproxy).toContain(` gatehouse:${port} resolvers`);
    const scrape = parse(read('deploy/prometheus/prometheus.yml')) as {
      scrape_configs: { dns_sd_configs?: { names: string[]; port: number }[] }[];
    };
    const found = scrape.scrape_configs.flatMap(({ dns_sd_configs = [] }) => dns_sd_configs);
    const edge = Number(service('edge').environment?.INTERNAL_PORT);
    expect(found).toMatchObject([
      { names: ['gatehouse'], port: settings.internal.port },
      { names: ['edge'], port: edge },
    ]);
    for (const name of ['gatehouse', 'edge']) {
      expect(service('prometheus').networks?.some((network) => service(name).networks?.includes(network))).toBe(true);
    }
    const sources = readFileSync('deploy/grafana/provisioning/datasources/gatehouse.yml', 'utf8');
    const hosts = [...sources.matchAll(/url: http:\/\/([\w-]+):/g)].map(([, host = '']) => host);
    expect(hosts.filter((host) => !(host in compose.services))).toEqual([]);
    expect(hosts).toContain('prometheus');
  });

  it('waits longer for a silent connection than the heartbeat needs', () => {
    const { intervalMs, timeoutMs } = fallbacks.heartbeat;
    const waits = [
      /proxy_read_timeout (\d+)s;/.exec(read('deploy/nginx/gatehouse.conf')),
      /proxy_send_timeout (\d+)s;/.exec(read('deploy/nginx/gatehouse.conf')),
      /timeout tunnel (\d+)s/.exec(haproxy),
    ];
    for (const wait of waits) expect(Number(wait?.[1]) * 1000).toBeGreaterThan(intervalMs + timeoutMs);
  });

  it('passes on the endpoint, and /route', () => {
    const { wsPath } = fallbacks.server;
    const locations = [...read('deploy/nginx/gatehouse.conf').matchAll(/^location (= )?(\S+)/gm)].map(
      ([, , path]) => path,
    );
    expect(locations).toEqual([wsPath, '/route', '/']);
    expect(haproxy).toContain(`acl is_websocket path ${wsPath}\n`);
  });
});

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { jetstreamManager } from '@nats-io/jetstream';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseBridges, type Bridges } from '../../config/bridges/bridges.js';
import { parseNamespaces, type Namespaces } from '../../config/namespaces.js';
import { OUTBOX_SCHEMA } from '../../src/outbox/schema.js';
import { read } from '../docs/markdown.js';
import { NatsServer } from '../support/nats-server.js';
import { requireProgram } from '../support/require-program.js';

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly command?: string | readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly required?: boolean }>>;
}

const run = promisify(execFile);
const { services } = parse(read('deploy/compose.yaml'), { merge: true }) as { services: Record<string, Service> };
const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, object> };

/** What `--env-file` gives to Compose. */
function environmentOf(profile: string): Record<string, string> {
  const lines = read(`deploy/compose.${profile}.env`).matchAll(/^([A-Z_]+)=(.*)$/gm);
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]));
}

/** A file of the nodes, where this repository has it. */
function fileOf(environment: Readonly<Record<string, string>>, name: string): string {
  return read((environment[name] ?? '').replace('/etc/gatehouse/', 'deploy/config/'));
}

function filesOf(profile: string): { namespaces: Namespaces; bridges: Bridges } {
  const environment = environmentOf(profile);
  const namespaces = parseNamespaces(fileOf(environment, 'CHANNELS_FILE'));
  return { namespaces, bridges: parseBridges(fileOf(environment, 'BRIDGES_FILE'), namespaces) };
}

const egressOf = (namespaces: Namespaces): Record<string, string>[] =>
  [...namespaces.values()].flatMap(({ egress }) => (egress === undefined ? [] : [{ ...egress }]));

describe.each(['kafka', 'nats', 'postgres'])('deploy/compose.%s.env', (profile) => {
  const environment = environmentOf(profile);
  const started = Object.entries(services).filter(([, { profiles = [] }]) => profiles.includes(profile));

  it('starts what its profile names, and the nodes wait for it only where it is on', () => {
    expect(environment.COMPOSE_PROFILES).toBe(profile);
    expect(started.map(([name]) => name)).toContain(profile);
    const waited = Object.entries(services.gatehouse?.depends_on ?? {}).filter(([name]) => services[name]?.profiles);
    for (const [, { required }] of waited) expect(required).toBe(false);
    expect(started.some(([name]) => waited.some(([other]) => other === name))).toBe(true);
  });

  it('has the image built with packages that the lock file has', () => {
    const peers = (environment.PEERS ?? '').split(' ');
    expect(peers.length).toBeGreaterThan(0);
    for (const peer of peers) {
      expect(manifest.devDependencies).toHaveProperty([peer]);
      expect(manifest.peerDependenciesMeta).toHaveProperty([peer]);
      expect(lock.packages).toHaveProperty([`node_modules/${peer}`]);
    }
  });

  it('is started by the one command that it and the documents name', () => {
    const command = `docker compose -f deploy/compose.yaml --env-file deploy/.env --env-file deploy/compose.${profile}.env up --build --wait`;
    expect(read(`deploy/compose.${profile}.env`)).toContain(command);
    if (profile !== 'nats') expect(read(profile === 'kafka' ? 'docs/bridges.md' : 'docs/outbox.md')).toContain(command);
    expect(read('deploy/config/README.md')).toContain(`compose.${profile}.env`);
  });

  it('mounts only what is there', () => {
    const mounted = started.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0] ?? ''));
    const missing = mounted.filter((path) => path.startsWith('.') && !existsSync(path.replace('.', 'deploy')));
    expect(missing).toEqual([]);
  });
});

describe('the Kafka of deploy/compose.yaml', () => {
  const { namespaces, bridges } = filesOf('kafka');
  const properties = read('deploy/kafka/server.properties');

  it('is where the nodes look for it', () => {
    expect(bridges.kafka?.brokers).toEqual(['kafka:9092']);
    expect(properties).toContain('advertised.listeners=PLAINTEXT://kafka:9092\n');
    expect(properties).toContain('process.roles=broker,controller\n');
  });

  it('has the topics that the files of the nodes name, and no others', () => {
    const [, made = ''] = /for topic in ([^;]+);/.exec(String(services['kafka-topics']?.command)) ?? [];
    const named = [
      ...(bridges.kafka?.sources ?? []).flatMap(({ kafka, deadLetter }) => [kafka, deadLetter ?? '']),
      ...egressOf(namespaces).map(({ kafka }) => kafka ?? ''),
    ];
    expect(made.split(' ').toSorted()).toEqual(named.toSorted());
    expect(properties).toContain('auto.create.topics.enable=false\n');
  });
});

describe('the NATS of deploy/compose.yaml', { tags: ['nats'] }, () => {
  const { namespaces, bridges } = filesOf('nats');

  it('is where the nodes look for it, with a configuration that the server reads', async () => {
    expect(bridges.nats?.servers).toEqual(['nats://nats:4222']);
    const { stderr } = await run(requireProgram('nats'), ['-t', '-c', 'deploy/nats/server.conf']);
    expect(stderr).toContain('is valid');
  });

  it('has the streams that the files of the nodes name, also if it is started again', async () => {
    await using server = await NatsServer.start();
    const script = (): Promise<unknown> =>
      run(process.execPath, ['deploy/nats/streams.mjs'], { env: { ...process.env, NATS_SERVER: server.url } });
    await script();
    await script();
    await using connection = await server.connect();
    const { streams } = await jetstreamManager(connection);
    const found = await streams.list().next();
    const subjects = new Map(found.map(({ config }) => [config.name, config.subjects ?? []]));
    for (const source of bridges.nats?.sources ?? []) {
      expect('stream' in source && subjects.get(source.stream)).toEqual(['orders.>']);
    }
    for (const { stream = '', nats = '' } of egressOf(namespaces)) {
      expect(subjects.get(stream)).toEqual([`${nats.split('.')[0]}.>`]);
    }
    expect([...subjects.values()].flat()).toContain('dead.>');
  });
});

describe('the PostgreSQL of deploy/compose.yaml', () => {
  it('makes the tables of the outbox', () => {
    expect(read('deploy/postgres/10-outbox.sql')).toBe(OUTBOX_SCHEMA);
    expect(services.postgres?.volumes).toContain('./postgres:/docker-entrypoint-initdb.d:ro');
  });

  it('is where the nodes look for it, with the account that it makes', () => {
    const { POSTGRES_USER, POSTGRES_DB } = services.postgres?.environment ?? {};
    const url = `postgres://${POSTGRES_USER}:\${POSTGRES_PASSWORD}@postgres:5432/${POSTGRES_DB}`;
    expect(environmentOf('postgres').POSTGRES_URL).toBe(url);
  });
});

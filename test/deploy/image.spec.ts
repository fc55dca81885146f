import { validate } from 'dockerfile-utils';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { read } from '../docs/markdown.js';
import { copyOf, parseDockerfile, stagesOf } from './dockerfile.js';
import { brokenRules, DOCKERFILE_RULES } from './dockerfile-rules.js';

const dockerfile = read('deploy/Dockerfile');
const instructions = parseDockerfile(dockerfile);
const edgeDockerfile = read('deploy/edge.Dockerfile');
const edge = parseDockerfile(edgeDockerfile);
const ignore = read('.dockerignore')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

/** The list is one of exceptions: nothing is in the context but what it names, and what lies below that. */
const isInContext = (path: string): boolean =>
  ignore.some((line) => `!${path}` === line || `!${path}`.startsWith(`${line}/`));

/** What a Dockerfile would look like that breaks a rule, made of ours. */
const BREACHES: Record<keyof typeof DOCKERFILE_RULES, readonly [what: string, by: string]> = {
  'every base image is pinned to an exact version': [':24.19.0-bookworm-slim\n', ':24\n'],
  'stages that are copied from come before': ['--from=packages', '--from=server'],
  'nothing is added from the network or unpacked in passing': ['COPY src', 'ADD src'],
  'no whole folder is copied unseen': ['COPY src src', 'COPY . .'],
  'packages are installed as the lock file says, and run no scripts': ['npm ci --ignore-scripts', 'npm ci'],
  'packages of the distribution leave no lists behind': [' && rm -rf /var/lib/apt/lists/*', ' && rm -rf'],
  'what it runs with are production dependencies': ['--omit=dev ', ''],
  'it runs as a user that is not root, by number': ['USER 1000:1000', 'USER node'],
  'nothing is given to that user': ['COPY package.json LICENSE', 'COPY --chown=1000:1000 package.json LICENSE'],
  'process 1 is an init that passes signals on, and no shell': ['"tini", "-e", "143", "--", ', ''],
  'its signal is the one that drains': ['STOPSIGNAL SIGTERM', 'STOPSIGNAL SIGKILL'],
  'its health is asked for without a shell': ['HEALTHCHECK', '#'],
  'no secret is baked in': ['ENV NODE_ENV', 'ENV JWT_SECRET=x NODE_ENV'],
  'options of Node are left to whoever runs it': ['ENV NODE_ENV', 'ENV NODE_OPTIONS=--x NODE_ENV'],
};

describe('deploy/Dockerfile', () => {
  it('is one that Docker builds', () => {
    expect(validate(dockerfile)).toEqual([]);
  });

  it.each([
    ['two stages of one name', ' AS packages', ' AS build'],
    ['a folder that is relative', 'WORKDIR /app', 'WORKDIR app'],
  ])('would not be with %s', (_what, what, by) => {
    expect(dockerfile).toContain(what);
    expect(validate(dockerfile.replaceAll(what, by))).not.toEqual([]);
  });

  it('keeps every rule', () => {
    expect(brokenRules(dockerfile)).toEqual([]);
  });

  it.each(Object.entries(BREACHES))('would be told by the rule: %s', (rule, [what, by]) => {
    expect(dockerfile).toContain(what);
    expect(brokenRules(dockerfile.replaceAll(what, by))).toContain(rule);
  });

  it('copies only what is there, and in the build context', () => {
    const copies = instructions.filter(({ name }) => name === 'COPY').map(copyOf);
    const sources = copies.filter(({ from }) => from === undefined).flatMap((copy) => copy.sources);
    expect(sources).toContain('src');
    expect(sources.filter((source) => !existsSync(source) || !isInContext(source))).toEqual([]);
  });

  it('has nothing in the build context that it does not copy', () => {
    expect(ignore[0]).toBe('*');
    const copies = [...instructions, ...edge].filter(({ name }) => name === 'COPY');
    const copied = copies.flatMap((copy) => copyOf(copy).sources);
    const exceptions = ignore.slice(1).map((line) => line.slice(1));
    expect(exceptions.filter((path) => !copied.includes(path))).toEqual([]);
  });

  it('starts, and asks for its health with, what the build makes of sources that are there', () => {
    const started = dockerfile.match(/dist\/[\w/-]+\.js/g) ?? [];
    expect(started).toHaveLength(2);
    expect(started.filter((path) => !existsSync(path.replace('dist/', '').replace(/js$/, 'ts')))).toEqual([]);
  });

  it('has an empty folder for FEATURES_FILE and CHANNELS_FILE, where docs/deployment.md says', () => {
    const steps = stagesOf(instructions).at(-1)?.instructions ?? [];
    // From below /app, files find the package `gatehouse` and its dependencies.
    expect(steps.filter(({ name }) => name === 'WORKDIR').map(({ rest }) => rest)).toEqual(['/app']);
    expect(steps.filter(({ name }) => name === 'RUN').map(({ rest }) => rest)).toContain('mkdir features');
    const documented = read('docs/deployment.md');
    expect(documented).toContain('mount a folder at `/app/features`');
    for (const setting of ['FEATURES_FILE=/app/features/features.js', 'CHANNELS_FILE=/app/features/channels.yaml'])
      expect(documented).toContain(setting);
  });

  it('has a Node that the server can run on, and the version of the package', () => {
    const { engines, version } = JSON.parse(read('package.json')) as { engines: { node: string }; version: string };
    const [, major = ''] = /node:(\d+)\./.exec(stagesOf(instructions).at(-1)?.image ?? '') ?? [];
    const [, least = ''] = /^>=(\d+)\./.exec(engines.node) ?? [];
    expect(Number(major)).toBeGreaterThan(Number(least));
    expect(dockerfile).toContain(`ARG VERSION=${version}\n`);
  });
});

describe('deploy/edge.Dockerfile', () => {
  it('is one that Docker builds, and keeps the rules for what it does not take from the image of the server', () => {
    expect(validate(edgeDockerfile)).toEqual([]);
    const ofTheServer = Object.keys(DOCKERFILE_RULES).filter((rule) =>
      /signal|process 1|health|dependencies/.test(rule),
    );
    expect(brokenRules(edgeDockerfile).filter((rule) => !ofTheServer.includes(rule))).toEqual([]);
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(edgeDockerfile).toContain(`ARG GATEHOUSE_IMAGE=gatehouse:${version}\n`);
  });

  it('copies only what is there, and in the build context', () => {
    const copies = edge.filter(({ name }) => name === 'COPY').map(copyOf);
    const sources = copies.filter(({ from }) => from === undefined).flatMap((copy) => copy.sources);
    expect(sources).toContain('packages/client/src');
    expect(sources.filter((source) => !existsSync(source) || !isInContext(source))).toEqual([]);
  });

  it('copies every file that the build of the client imports', () => {
    const sources = edge.filter(({ name }) => name === 'COPY').flatMap((copy) => copyOf(copy).sources);
    const needed = new Set(['packages/client/build.mjs']);
    for (const file of needed) {
      for (const [, name] of read(file).matchAll(/ from '\.\/(\S+)'/g)) needed.add(`packages/client/${name}`);
    }
    expect(needed.size).toBeGreaterThan(1);
    expect([...needed].filter((file) => !sources.includes(file))).toEqual([]);
  });

  it('has the store with all the packages that it needs, and no others', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { dependencies?: Record<string, string> }>;
    };
    const needed = new Set(['classic-level']);
    for (const name of needed) {
      for (const each of Object.keys(packages[`node_modules/${name}`]?.dependencies ?? {})) needed.add(each);
    }
    const [, names = ''] = /for name in ([^;]+);/.exec(edgeDockerfile) ?? [];
    expect(names.split(' ').toSorted()).toEqual([...needed].toSorted());
    expect(edgeDockerfile).toContain(' /var/lib/gatehouse\n');
    expect(edgeDockerfile).toContain('ENV EDGE_DIR=/var/lib/gatehouse\n');
  });
});

/** The table of docs/adr and CONTRIBUTING: which stage may import which. Whatever a row does not name is forbidden. */
const MAY_IMPORT = {
  config: [],
  protocol: [],
  generator: [],
  authentication: ['config', 'protocol'],
  socket: ['config', 'protocol'],
  cluster: ['config', 'protocol'],
  sessions: ['config', 'protocol', 'authentication', 'socket'],
  lifecycle: ['config', 'protocol', 'authentication', 'socket', 'sessions', 'cluster'],
  access: ['config', 'protocol', 'authentication', 'socket', 'sessions', 'cluster'],
  channels: ['config', 'protocol', 'authentication', 'socket', 'sessions', 'access', 'cluster'],
  broadcast: ['config', 'protocol', 'authentication', 'socket', 'sessions', 'channels', 'cluster'],
  upgrade: ['config', 'protocol', 'authentication', 'socket', 'sessions', 'access', 'lifecycle'],
  transport: ['config', 'protocol', 'upgrade'],
  health: ['config', 'protocol', 'cluster', 'lifecycle', 'edge'],
  dispatch: ['config', 'protocol', 'authentication', 'socket', 'sessions', 'access'],
  contract: ['config', 'protocol', 'access', 'channels', 'dispatch'],
  endpoint: ['config', 'protocol', 'authentication', 'socket', 'sessions', 'access', 'upgrade', 'dispatch'],
  hooks: [
    'config',
    'protocol',
    'authentication',
    'sessions',
    'cluster',
    'channels',
    'broadcast',
    'upgrade',
    'dispatch',
  ],
  outbox: ['config', 'protocol', 'channels'],
  bridges: ['config', 'protocol', 'channels'],
  edge: ['config', 'protocol', 'authentication', 'access', 'sessions', 'cluster', 'channels', 'dispatch', 'contract'],
};
/** It composes what a function needs, as gatehouse.module.ts composes a server. */
const SERVERLESS = [
  'config',
  'protocol',
  'authentication',
  'socket',
  'cluster',
  'sessions',
  'access',
  'channels',
  'broadcast',
  'upgrade',
  'dispatch',
];
const BELOW_OBSERVABILITY = Object.keys(MAY_IMPORT);

const pathOf = (stage) => (stage === 'config' ? '^config/' : `^src/${stage}/`);

const stageRule = ([stage, allowed]) => ({
  name: `stage-${stage}`,
  comment: `${stage} may import ${allowed.join(', ') || 'nothing of ours'}`,
  severity: 'error',
  from: { path: pathOf(stage) },
  to: { path: '^(src|config|test|bench|examples)/', pathNot: [pathOf(stage), ...allowed.map(pathOf)] },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment:
        'src/public.ts exports GatehouseModule, which loads the built-in gateways by import(), which use src/public.ts',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['dynamic-import'] } },
    },
    ...Object.entries(MAY_IMPORT).map(stageRule),
    stageRule(['observability', BELOW_OBSERVABILITY]),
    stageRule(['server-api', [...BELOW_OBSERVABILITY, 'observability']]),
    stageRule(['supervision', ['config', 'cluster', 'lifecycle', 'transport', 'observability']]),
    {
      name: 'stage-serverless',
      comment: 'a host of its own: it may not load ports, endpoints, metrics or the HTTP API',
      severity: 'error',
      from: { path: '^src/serverless/' },
      to: {
        path: '^(src|config|test|bench|examples)/',
        pathNot: [
          '^src/serverless/',
          ...SERVERLESS.map(pathOf),
          '^src/(runtime\\.module|gateways/gateways\\.module)\\.ts$',
          '^src/observability/logs/(logging|logs|nest-logger)\\.ts$',
        ],
      },
    },
    {
      name: 'a-server-loads-nothing-of-serverless',
      severity: 'error',
      from: { path: '^(src|config|packages)/', pathNot: '^src/serverless/' },
      to: { path: '^(src/serverless/|node_modules/@aws-sdk/)' },
    },
    {
      name: 'packages-never-import-the-server',
      comment: 'they are installed without it: in browsers, in applications that only connect',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(src|config|test|bench|examples|scripts)/' },
    },
    {
      name: 'of-the-packages-the-server-imports-protocol-alone',
      severity: 'error',
      from: { path: '^(src|config)/' },
      to: { path: '^packages/', pathNot: '^packages/protocol/' },
    },
    {
      name: 'packages-share-protocol-alone',
      comment: 'the console is a page that uses the client',
      severity: 'error',
      from: { path: '^packages/([^/]+)/', pathNot: '^packages/console/' },
      to: { path: '^packages/', pathNot: ['^packages/$1/', '^packages/protocol/'] },
    },
    {
      name: 'the-console-shares-protocol-and-client',
      severity: 'error',
      from: { path: '^packages/console/' },
      to: { path: '^packages/', pathNot: '^packages/(console|protocol|client)/' },
    },
    {
      name: 'protocol-has-no-dependency',
      severity: 'error',
      from: { path: '^packages/protocol/' },
      to: { pathNot: '^packages/protocol/' },
    },
    {
      name: 'core-never-imports-a-gateway',
      severity: 'error',
      from: {
        path: '^(src|config)/',
        pathNot: '^src/(gateways/|gatehouse\\.module\\.ts|serverless/serverless\\.module\\.ts)',
      },
      to: { path: '^src/gateways/' },
    },
    {
      name: 'gateways-use-the-public-door',
      comment: 'what a gateway needs of Gatehouse it imports from `gatehouse`, as the gateways of users do',
      severity: 'error',
      from: { path: '^(src/gateways|examples)/' },
      to: { path: '^(src|config)/', pathNot: '^src/(gateways/|public\\.ts$)' },
    },
    {
      name: 'gateways-are-strangers',
      severity: 'error',
      from: { path: '^src/gateways/([^/]+)/' },
      to: { path: '^src/gateways/', pathNot: '^src/gateways/$1/' },
    },
    {
      name: 'ws-only-where-sockets-are',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(socket|endpoint|testing|edge/link)/' },
      to: { path: '^node_modules/(ws|@types/ws)/' },
    },
    {
      name: 'ioredis-only-in-the-redis-engine',
      severity: 'error',
      from: { path: '^(src|config)/', pathNot: '^src/cluster/redis/' },
      to: { path: '^node_modules/ioredis/' },
    },
    {
      name: 'engines-of-several-nodes-are-loaded-by-import',
      comment: 'a function, and a server that is alone, start without them',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cluster/(redis|remote)/' },
      to: {
        path: '^src/cluster/(redis/(redis-engine|connection/redis-link)|remote/remote-(engine|link))\\.ts$',
        dependencyTypesNot: ['dynamic-import', 'type-only'],
      },
    },
    {
      name: 'engines-are-known-to-cluster-alone',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cluster/' },
      to: { path: '^src/cluster/', pathNot: '^src/cluster/(ports/|cluster\\.module\\.ts$|remote/engine-host\\.ts$)' },
    },
    {
      name: 'protocol-is-pure',
      severity: 'error',
      from: { path: '^src/protocol/' },
      to: { path: '^node_modules/(@nestjs|rxjs|ws)/' },
    },
    {
      name: 'src-imports-no-tests',
      severity: 'error',
      from: { path: '^(src|config)/' },
      to: { path: '^(test|bench|examples)/' },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: { path: '^(src|config)/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        pathNot: '^node_modules/(@types|pg|kafkajs|@nats-io|classic-level|@aws-sdk)/',
      },
    },
    {
      name: 'optional-peers-are-loaded-where-configured',
      comment: 'by import(), because they may not be installed',
      severity: 'error',
      from: { path: '^(src|config)/' },
      to: {
        path: '^node_modules/(pg|kafkajs|@nats-io|classic-level|@aws-sdk)/',
        dependencyTypesNot: ['dynamic-import', 'type-only'],
      },
    },
    {
      name: 'tracing-is-loaded-where-it-is-on',
      comment:
        'by import(): a server without tracing loads nothing of OpenTelemetry, and nothing of ours that needs it',
      severity: 'error',
      from: { path: '^(src|config)/', pathNot: '^src/(gateways/|observability/(tracing/|logs/trace-fields))' },
      to: {
        path: '^(node_modules/@opentelemetry/|src/observability/(tracing/|logs/trace-fields))',
        pathNot: '^src/observability/tracing/tracing\\.ts$',
        dependencyTypesNot: ['dynamic-import', 'type-only'],
      },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.d.ts', '.js', '.mjs', '.cjs'],
    },
  },
};

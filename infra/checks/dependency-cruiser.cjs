/**
 * Who may import whom. Each package may import the packages named here, by name; its tests may also import what its
 * package.json declares. Everything else is forbidden.
 */
const ALLOWED = {
  contract: [],
  'schema-messages': [],
  bus: ['contract'],
  access: ['contract'],
  routing: ['contract', 'schema-messages'],
  telemetry: ['contract', 'schema-messages'],
  config: ['contract', 'access', 'routing', 'schema-messages'],
  core: ['contract', 'bus', 'routing', 'telemetry'],
  api: ['contract', 'schema-messages', 'adapter-kit', 'access', 'bus', 'routing', 'core', 'telemetry'],
  testkit: ['contract', 'bus', 'brokers'],
  'adapter-kit': ['contract'],
  'adapter-(?!kit/)[^/]+': ['contract', 'adapter-kit', 'schema-messages'],
};

/** Packages that know no protocol, so no client library either. */
const NEUTRAL = 'contract|schema-messages|adapter-kit|access|bus|routing|telemetry|config|core|api';
const CLIENT_LIBRARIES =
  '^(mqtt|mqtt-packet|amqplib|rhea|@xmpp)(/|$)|node_modules/(mqtt|mqtt-packet|amqplib|rhea|@xmpp)/';

/** A workspace package as a path in the repository or as a name that could not be resolved. */
const workspace = (names) => `^((packages|infra)/(${names})/|@magpie/(${names})(/|$))`;

const packageRules = Object.entries(ALLOWED).map(([name, allowed]) => ({
  name: `${name.replace('(?!kit/)[^/]+', '*')}-imports`,
  comment: `${name} may import: ${allowed.join(', ') || 'no other package'}`,
  severity: 'error',
  from: { path: `^packages/(${name})/src/` },
  to: {
    path: '^(packages|apps|infra|test)/|^@magpie/',
    pathNot: ['^packages/$1/src/', ...(allowed.length > 0 ? [workspace(allowed.join('|'))] : [])],
  },
}));

/** The rooms of core in the order in which a message flows: each may import those before it, and nothing else. */
const STAGES = ['connections', 'log', 'intake', 'delivery', 'targets', 'unlogged', 'router', 'reads'];

const stageRules = STAGES.slice(0, -1).map((stage, index) => ({
  name: `core-${stage}-imports`,
  comment: `${stage} may import of the other stages: ${STAGES.slice(0, index).join(', ') || 'none'}`,
  severity: 'error',
  from: { path: `^packages/core/src/${stage}/` },
  to: { path: `^packages/core/src/(${STAGES.slice(index + 1).join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...packageRules,
    ...stageRules,
    {
      name: 'contract-libraries',
      comment: 'contract uses zod and uuidv7, nothing else',
      severity: 'error',
      from: { path: '^packages/contract/src/' },
      to: { dependencyTypesNot: ['local', 'core', 'type-only'], pathNot: '(^|node_modules/)(zod|uuidv7)(/|$)' },
    },
    {
      name: 'no-client-library-outside-adapters',
      comment: 'only adapters speak a protocol',
      severity: 'error',
      from: { path: `^packages/(${NEUTRAL})/src/` },
      to: { path: CLIENT_LIBRARIES },
    },
    {
      name: 'nobody-imports-apps',
      comment: 'apps are compositions; what two of them need belongs into a package',
      severity: 'error',
      from: { path: '^(packages|infra/brokers)/' },
      to: { path: '^apps/|^@magpie/(gateway|demo)(/|$)' },
    },
    {
      name: 'sources-do-not-import-tests',
      severity: 'error',
      from: { path: '^(packages|apps|infra)/[^/]+/src/' },
      to: { path: '/test/' },
    },
    {
      name: 'no-undeclared-libraries',
      comment: 'what a package imports stands in its package.json, and not only for development',
      severity: 'error',
      from: { path: '^(packages|apps)/[^/]+/src/', pathNot: '^packages/testkit/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'one-process-helper',
      comment: 'programs are started by startProgram or run of @magpie/brokers, which leave nothing behind',
      severity: 'error',
      from: {
        path: '.',
        pathNot: [
          '^infra/brokers/src/process/(program|run|guard)\\.ts$',
          // Runs before anything is installed.
          '^infra/setup\\.mjs$',
          // Talks to its child over the channel of Node, with which the child ends.
          '^test/bench/driver/client\\.ts$',
          // Stands in for a program that leaves daemons behind.
          '^infra/brokers/test/fake-docker\\.ts$',
        ],
      },
      to: { path: '^(node:)?child_process$' },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages|apps|infra)/[^/]+/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: `${__dirname}/../../tsconfig.tests.json` },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@magpie/source', 'import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};

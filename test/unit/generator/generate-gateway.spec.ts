import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { formatted } from '../../../scripts/formatted.js';
import { generate } from '../../../src/generator/generate.js';
import { generateGateway } from '../../../src/generator/generate-gateway.js';
import { GeneratorError } from '../../../src/generator/generator-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const FEATURES = 'src/features.ts';
const EMPTY_LIST = '/** The modules that the server loads. */\nexport default [];\n';

async function project(list = EMPTY_LIST, path = FEATURES) {
  const folder = await temporaryFolder();
  const read = (file: string): string => readFileSync(join(folder.path, file), 'utf8');
  mkdirSync(dirname(join(folder.path, path)), { recursive: true });
  writeFileSync(join(folder.path, path), list);
  const files = (): string[] =>
    readdirSync(folder.path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .toSorted();
  return Object.assign(folder, { read, files });
}

/** The error that a call throws. */
function errorOf(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('generate gateway', () => {
  it('adds a folder with gateway, messages, module and test, and the module to the list', async () => {
    await using folder = await project();
    expect(generateGateway(folder.path, 'live-poll')).toEqual([
      'src/gateways/live-poll/live-poll.messages.ts',
      'src/gateways/live-poll/live-poll.gateway.ts',
      'src/gateways/live-poll/live-poll.module.ts',
      'src/gateways/live-poll/live-poll.gateway.test.ts',
      FEATURES,
    ]);
    expect(folder.read(FEATURES)).toBe(
      `import { LivePollModule } from './gateways/live-poll/live-poll.module.js';\n${EMPTY_LIST.replace('[]', '[LivePollModule]')}`,
    );
    expect(folder.read('src/gateways/live-poll/live-poll.gateway.ts')).toContain("@SubscribeMessage('live_poll.say')");
  });

  it('keeps the gateways, imports and comments that the list has', async () => {
    const list = "import { A } from './a.js';\n\nexport default [\n  A, // first\n  B, // and [last\n];\n";
    await using folder = await project(list);
    generateGateway(folder.path, 'poll');
    expect(folder.read(FEATURES)).toBe(
      "import { A } from './a.js';\nimport { PollModule } from './gateways/poll/poll.module.js';\n" +
        '\nexport default [\n  PollModule,\n  A, // first\n  B, // and [last\n];\n',
    );
    generateGateway(folder.path, 'chat');
    expect(folder.read(FEATURES)).toContain('[\n  ChatModule,\n  PollModule,\n  A, // first');
  });

  it('knows the layout of this repository, where tests are beside the sources and the format is checked', async () => {
    const path = 'src/gateways/gateways.module.ts';
    await using folder = await project(readFileSync(path, 'utf8'), path);
    expect(generateGateway(folder.path, 'poll').slice(-2)).toEqual(['test/gateways/poll.spec.ts', path]);
    expect(folder.read(path)).toContain("import { PollModule } from './poll/poll.module.js';\n");
    expect(folder.read(path)).toMatch(/imports: \[[^\]]*\bPollModule\b/);
    generateGateway(folder.path, 'chat');
    generateGateway(folder.path, 'board');
    for (const file of [path, 'test/gateways/poll.spec.ts', 'src/gateways/poll/poll.gateway.ts'])
      expect(folder.read(file)).toBe(await formatted(file, folder.read(file)));
    const test = folder.read('test/gateways/poll.spec.ts');
    expect(test).toContain("import { test } from 'vitest';");
    expect(test).toContain("import { PollModule } from '../../src/gateways/poll/poll.module.js';");
  });

  it.each(['', 'Poll', '2fast', 'live_poll', 'live poll', 'poll-', '-poll', 'a--b', '../poll', 'é', 'a'.repeat(61)])(
    'refuses the name "%s" and writes nothing',
    async (name) => {
      await using folder = await project();
      const error = errorOf(() => generateGateway(folder.path, name));
      expect(error).toBeInstanceOf(GeneratorError);
      expect(error).toMatchObject({
        kind: 'usage',
        message: expect.stringContaining('cannot be the name of a gateway'),
      });
      expect(folder.files()).toEqual(['features.ts']);
    },
  );

  it('refuses a name that is taken, by a folder or in the list, and writes nothing', async () => {
    await using folder = await project();
    generateGateway(folder.path, 'poll');
    const before = folder.files();
    expect(errorOf(() => generateGateway(folder.path, 'poll'))).toMatchObject({
      kind: 'project',
      message: 'src/gateways/poll exists already. Choose another name, or remove it',
    });
    expect(folder.files()).toEqual(before);
    await using listed = await project("import { PollModule } from './elsewhere.js';\nexport default [PollModule];\n");
    expect(errorOf(() => generateGateway(listed.path, 'poll'))).toMatchObject({
      message: 'src/features.ts names PollModule already. Choose another name',
    });
    expect(listed.files()).toEqual(['features.ts']);
  });

  it('refuses a list that it cannot read, and a folder that is no project, and writes nothing', async () => {
    await using folder = await project('export default modules();\n');
    expect(errorOf(() => generateGateway(folder.path, 'poll'))).toMatchObject({
      message: 'src/features.ts has no list of modules. Add: export default [PollModule];',
    });
    expect(folder.files()).toEqual(['features.ts']);
    await using empty = await temporaryFolder();
    expect(errorOf(() => generateGateway(empty.path, 'poll'))).toMatchObject({
      kind: 'project',
      message: expect.stringContaining(`There is no src/features.ts in ${empty.path}`),
    });
  });
});

describe('the command', () => {
  afterEach(() => void vi.restoreAllMocks());

  /** Its exit code, and what it writes, in a folder. */
  function run(folder: string, ...parameters: string[]) {
    let [output, errors] = ['', ''];
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((output += String(text)), true));
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((errors += String(text)), true));
    const code = generate(parameters);
    vi.restoreAllMocks();
    return { code, output, errors };
  }

  it('names the files that it has written', async () => {
    await using folder = await project();
    const { code, output, errors } = run(folder.path, 'gateway', 'poll');
    expect([code, errors]).toEqual([0, '']);
    expect(output.split('\n')).toContain('src/gateways/poll/poll.gateway.ts');
    expect(folder.files()).toContain('poll.gateway.ts');
  });

  it('shows how it is used, and exits with 2 if it is used in another way', () => {
    expect(run('/nowhere', '--help')).toMatchObject({ code: 0, output: expect.stringContaining('Usage:'), errors: '' });
    for (const parameters of [[], ['gateway'], ['module', 'poll'], ['gateway', 'poll', 'more']])
      expect(run('/nowhere', ...parameters)).toMatchObject({
        code: 2,
        output: '',
        errors: expect.stringContaining('Usage:'),
      });
  });

  it('says in one sentence what is wrong, and exits with 2 for a bad name, and 1 for a project that cannot take it', async () => {
    await using folder = await project('export const none = 1;\n');
    expect(run(folder.path, 'gateway', '../poll')).toMatchObject({ code: 2, output: '' });
    const { code, output, errors } = run(folder.path, 'gateway', 'poll');
    expect([code, output, errors.trim().split('\n').length]).toEqual([1, '', 1]);
  });
});

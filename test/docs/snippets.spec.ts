import { resolve } from 'node:path';
import typescript from 'typescript';
import { describe, expect, it } from 'vitest';
import { codeBlocks, read } from './markdown.js';

/** Where the snippets would lie; imports are found as from there. */
const FOLDER = resolve('docs');
/** What each of them declares is known to the compiler. */
const DECLARATIONS = ['src/cluster/cluster-key-slot.d.ts', 'src/endpoint/ws-server-options.d.ts'];

/** What `npm run contract` would write for the reader of docs/contract.md. */
const MESSAGES = `export interface Contract {
  requests: { 'chat.join': { data: { room: string }; reply: { members: number } } };
  events: { 'order.shipped': { id: string } };
  channels: { 'orders:*': { status: string } };
}`;

const OPTIONS: typescript.CompilerOptions = { ...projectOptions(), noEmit: true, noUnusedLocals: false };
const parsed = new Map<string, typescript.SourceFile | undefined>();

describe('code in the docs', () => {
  it('compiles as one module, in docs/extending.md, and block by block in docs/contract.md', () => {
    const contract = codeBlocks(read('docs/contract.md'), 'ts').map((block, number) => [
      `contract-${number}.ts`,
      block,
    ]);
    const [tour = '', ofTest = ''] = read('docs/extending.md')
      .split('\n## Testing\n')
      .map((part) => codeBlocks(part, 'ts').join('\n'));
    const files = {
      'tour.ts': tour,
      'tour.test.ts': ofTest,
      'messages.ts': MESSAGES,
      ...Object.fromEntries(contract),
    } as Record<string, string>;
    expect(faultsOf(files)).toBe('');
  });

  it('does not compile with a fault', () => {
    const text = `import { sessionOf } from 'gatehouse';\nexport const wrong: number = sessionOf;\n`;
    expect(faultsOf({ 'wrong.ts': text })).toContain("is not assignable to type 'number'");
  });

  it('is, in README.md, the very text of examples/poll.gateway.ts', () => {
    expect(codeBlocks(read('README.md'), 'ts')).toContain(read('examples/poll.gateway.ts'));
  });
});

/**
 * What the compiler finds wrong in files of the given names and texts. The server behind their imports is only read: the lint
 * checks it, and so does the build that the commands of the docs make.
 */
function faultsOf(texts: Readonly<Record<string, string>>): string {
  const snippets = new Map(Object.entries(texts).map(([name, text]) => [resolve(FOLDER, name), text]));
  const disk = typescript.createCompilerHost(OPTIONS);
  const host: typescript.CompilerHost = {
    ...disk,
    fileExists: (path) => snippets.has(path) || disk.fileExists(path),
    getSourceFile: (path, language) => {
      const text = snippets.get(path);
      if (text !== undefined) return typescript.createSourceFile(path, text, language);
      if (!parsed.has(path)) parsed.set(path, disk.getSourceFile(path, language));
      return parsed.get(path);
    },
  };
  const declarations = DECLARATIONS.map((path) => resolve(path));
  const program = typescript.createProgram([...snippets.keys(), ...declarations], OPTIONS, host);
  const faults = [...snippets.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  return typescript.formatDiagnostics([...program.getOptionsDiagnostics(), ...faults], host);
}

function projectOptions(): typescript.CompilerOptions {
  const path = resolve('tsconfig.json');
  const { config } = typescript.readConfigFile(path, (name) => typescript.sys.readFile(name)) as { config: object };
  return typescript.parseJsonConfigFileContent(config, typescript.sys, resolve('.')).options;
}

import { join } from 'node:path';
import ts from 'typescript';
import { formatted } from './formatted.js';

export const REPORT = 'docs/api-report.md';
const ENTRIES = {
  gatehouse: 'src/public.d.ts',
  'gatehouse/testing': 'src/testing/testing.d.ts',
  'gatehouse/serverless': 'src/serverless/serverless.d.ts',
};

const HEAD = `# API report

Everything that the package exports, with its signatures. \`npm run api:report\` writes this file, and a test compares it
with the package, so that each change of the public API is seen in review. [CONTRIBUTING](../CONTRIBUTING.md#versions)
says which changes need a new major version.
`;

export interface ApiReport {
  readonly report: string;
  /** Exported names that have no doc comment. */
  readonly undocumented: readonly string[];
}

const OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  noLib: true,
  types: [],
};

/** The report shows signatures as they are written, so that nobody needs the 2,000 files of other packages. */
function ownModulesOnly(): ts.CompilerHost {
  const host = ts.createCompilerHost(OPTIONS);
  host.resolveModuleNameLiterals = (literals, file, redirect, options, source) =>
    literals.map((literal) => {
      if (!/^(?:\.|@gatehouse\/)/.test(literal.text)) return { resolvedModule: undefined };
      const mode = ts.getModeForUsageLocation(source, literal, options);
      return ts.resolveModuleName(literal.text, file, options, host, undefined, redirect, mode);
    });
  return host;
}

/** @param dist the folder of the build, with declarations */
export async function apiReport(dist: string): Promise<ApiReport> {
  const files = Object.values(ENTRIES).map((file) => join(dist, file));
  const program = ts.createProgram(files, OPTIONS, ownModulesOnly());
  const checker = program.getTypeChecker();
  const undocumented: string[] = [];
  const sections = Object.entries(ENTRIES).map(([name, file]) => {
    const source = program.getSourceFile(join(dist, file));
    const entry = source && checker.getSymbolAtLocation(source);
    if (entry === undefined) throw new Error(`There is no ${file} in ${dist}: run nest build`);
    const exported = checker.getExportsOfModule(entry).toSorted((one, other) => (one.name < other.name ? -1 : 1));
    const blocks = exported.map((symbol) => {
      const meant = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      if (meant.getDocumentationComment(checker).length === 0) undocumented.push(symbol.name);
      return signaturesOf(meant);
    });
    return `\n## ${name}\n\n\`\`\`ts\n${blocks.join('\n\n')}\n\`\`\`\n`;
  });
  return { report: await formatted(REPORT, HEAD + sections.join('')), undocumented };
}

/** Returns what to do about a report that is out of date, with the lines that differ; undefined if there is no difference. */
export function differenceOf(committed: string, generated: string): string | undefined {
  if (committed === generated) return undefined;
  const [before, after] = [committed.split('\n'), generated.split('\n')];
  return [
    'The public door has changed. Review the change, run `npm run api:report`, and commit docs/api-report.md.',
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ].join('\n');
}

function signaturesOf(symbol: ts.Symbol): string {
  const printer = ts.createPrinter({ removeComments: true });
  return (symbol.declarations ?? [])
    .map((declaration) => (ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration))
    .map((node) => {
      const { transformed } = ts.transform(node, [withoutPrivateMembers]);
      return printer.printNode(ts.EmitHint.Unspecified, transformed[0] ?? node, node.getSourceFile());
    })
    .join('\n');
}

/** What is private or marked @internal can change at any time. */
const withoutPrivateMembers: ts.TransformerFactory<ts.Node> = () => (node) => {
  if (!ts.isClassDeclaration(node)) return node;
  const members = node.members.filter((member) => !isPrivate(member));
  const { modifiers, name, typeParameters, heritageClauses } = node;
  return ts.factory.updateClassDeclaration(node, modifiers, name, typeParameters, heritageClauses, members);
};

function isPrivate(member: ts.ClassElement): boolean {
  const isHidden = (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) !== 0;
  return isHidden || ts.getJSDocTags(member).some(({ tagName }) => tagName.text === 'internal');
}

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { formatted } from './formatted.js';

export const CLIENT_PAGE = 'docs/client.md';

const ENTRIES = ['index', 'react', 'tabs', 'state', 'state-react', 'msgpack', 'fernet', 'testing'];
const HEADING = '## Reference\n';

/** The exported declarations of each entry point with their comments, as Markdown. Only parses: nothing is checked or built. */
export function referenceOf(sources: string): string {
  const sections = ENTRIES.map((entry) => {
    const name = `@gatehouse/client${entry === 'index' ? '' : `/${entry}`}`;
    const declarations = exportsOf(join(sources, `${entry}.ts`));
    return `### ${name}\n\n\`\`\`ts\n${declarations.join('\n\n')}\n\`\`\`\n`;
  });
  return sections.join('\n');
}

/** The page with another text under its last heading. */
export async function withReference(page: string, reference: string): Promise<string> {
  const at = page.indexOf(HEADING);
  if (at < 0) throw new Error(`${CLIENT_PAGE} has no heading "${HEADING.trim()}"`);
  const intro =
    'Made from the types by `npm run client:reference`. `Position`, `Gap`, `Publisher`, `ErrorCode` and the replies are\nexported too: [protocol.md](protocol.md) describes them.\n';
  const text = `${page.slice(0, at)}${HEADING}\n${intro}\n${reference}`;
  return formatted(CLIENT_PAGE, text);
}

/** @param names those that are wanted; undefined: all */
function exportsOf(file: string, names?: ReadonlySet<string>): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ESNext, true);
  return source.statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement)) return reexportsOf(statement, file);
    const name = nameOf(statement);
    const isWanted = name !== undefined && isExported(statement) && (names?.has(name) ?? true);
    return isWanted ? [declarationOf(statement)] : [];
  });
}

function reexportsOf({ moduleSpecifier, exportClause }: ts.ExportDeclaration, from: string): string[] {
  const specifier = moduleSpecifier && ts.isStringLiteral(moduleSpecifier) ? moduleSpecifier.text : '';
  if (!specifier.startsWith('.')) return [];
  const file = join(dirname(from), specifier.replace(/\.js$/, '.ts'));
  const isNamed = exportClause !== undefined && ts.isNamedExports(exportClause);
  return exportsOf(file, isNamed ? new Set(exportClause.elements.map(({ name }) => name.text)) : undefined);
}

function nameOf(statement: ts.Statement): string | undefined {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0]?.name.getText();
  const isDeclaration =
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isFunctionDeclaration(statement);
  return isDeclaration ? statement.name?.text : undefined;
}

function isExported(node: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  );
}

/** As it stands in a declaration file, with its comment and without `export`. */
function declarationOf(node: ts.Statement): string {
  const text = ts.isClassDeclaration(node) ? classText(node) : withoutBody(node);
  return `${commentOf(node)}${text.replace(/^export /, '')}`;
}

function classText(node: ts.ClassDeclaration): string {
  const source = node.getSourceFile().text;
  const head = source.slice(node.getStart(), node.members.pos);
  const members = node.members
    .filter((member) => !isPrivate(member))
    .map((member) => `${commentOf(member)}${memberText(member)}`);
  return `${head}\n${members.join('\n')}\n}`;
}

function isPrivate(member: ts.ClassElement): boolean {
  return (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) !== 0;
}

function memberText(member: ts.ClassElement): string {
  if (!ts.isConstructorDeclaration(member)) return withoutBody(member);
  const fields = member.parameters.filter((parameter) => ts.isParameterPropertyDeclaration(parameter, member));
  const isOpen = (parameter: ts.ParameterDeclaration): boolean =>
    (ts.getCombinedModifierFlags(parameter) & ts.ModifierFlags.Private) === 0;
  const shown = fields.filter(isOpen).map((parameter) => `${parameter.getText()};`);
  const parameters = member.parameters.map(
    ({ name, type, questionToken, initializer }) =>
      `${ts.isIdentifier(name) ? name.text.replace(/^_/, '') : 'options'}${questionToken || initializer ? '?' : ''}: ${type?.getText() ?? typeOf(initializer)}`,
  );
  return [...shown, `constructor(${parameters.join(', ')});`].join('\n');
}

function typeOf(initializer: ts.Expression | undefined): string {
  return initializer?.kind === ts.SyntaxKind.NumericLiteral || initializer?.getText().startsWith('Date.')
    ? 'number'
    : 'unknown';
}

/** The text up to the body or the value. */
function withoutBody(node: ts.Node): string {
  const source = node.getSourceFile().text;
  const end = bodyOf(node)?.getFullStart() ?? node.end;
  const text = source
    .slice(node.getStart(), end)
    .replace(/\s*=\s*$/, '')
    .replace(/\basync /, '');
  return text.endsWith(';') || text.endsWith('}') ? text : `${text};`;
}

function bodyOf(node: ts.Node): ts.Node | undefined {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations[0]?.initializer;
  if (ts.isPropertyDeclaration(node)) return node.type && node.initializer;
  const hasBody = ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isGetAccessor(node);
  return hasBody ? node.body : undefined;
}

function commentOf(node: ts.Node): string {
  const source = node.getSourceFile().text;
  const ranges = ts.getLeadingCommentRanges(source, node.getFullStart()) ?? [];
  const doc = ranges.map(({ pos, end }) => source.slice(pos, end)).filter((text) => text.startsWith('/**'));
  return doc.length > 0 ? `${doc.at(-1)}\n` : '';
}

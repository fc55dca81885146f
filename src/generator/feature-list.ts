import { GeneratorError } from './generator-error.js';

export interface ListedModule {
  readonly className: string;
  /** Relative to the file with the list. */
  readonly path: string;
}

/** `export default [ … ]` of a project, or `imports: [ … ]` of a Nest module. */
const LIST = /(export default|imports:) \[([^\]]*)\]/;
/** Of a line without brackets and separators, so that all of it fits into the 120 characters of this repository. */
const MAX_LINE = 114;
const IMPORTS = /^import [^;]*;\n/gm;

/**
 * Adds a module to the list of those that the server loads.
 *
 * @param text the file with the list
 * @param file its name, for errors
 * @throws GeneratorError if the file has no list, or names the module already
 */
export function withModule(text: string, file: string, { className, path }: ListedModule): string {
  if (new RegExp(`\\b${className}\\b`).test(text))
    throw new GeneratorError(`${file} names ${className} already. Choose another name`, 'project');
  if (!LIST.test(text))
    throw new GeneratorError(`${file} has no list of modules. Add: export default [${className}];`, 'project');
  const listed = text.replace(LIST, (_whole, start: string, modules: string, offset: number) => {
    const indentation = text.slice(text.lastIndexOf('\n', offset) + 1, offset);
    const isTooLong = `${indentation}${start}${modules}${className}`.length > MAX_LINE;
    const items = isTooLong ? onLines(modules, className, indentation) : withItem(modules, className);
    return `${start} [${items}]`;
  });
  const end = endOfImports(listed);
  return `${listed.slice(0, end)}import { ${className} } from '${path}';\n${listed.slice(end)}`;
}

/** On lines of their own, a comment may be behind the last module. So the new one is the first. */
function withItem(modules: string, className: string): string {
  const [, indentation] = /^(\n\s*)/.exec(modules) ?? [];
  if (indentation !== undefined) return `${indentation}${className},${modules}`;
  return modules.trim() === '' ? className : `${modules}, ${className}`;
}

/** One module on each line, for a list that does not fit on one. */
function onLines(modules: string, className: string, indentation: string): string {
  if (modules.includes('\n')) return withItem(modules, className);
  const items = [...modules.split(', '), className];
  return `\n${items.map((item) => `${indentation}  ${item},\n`).join('')}${indentation}`;
}

function endOfImports(text: string): number {
  const last = [...text.matchAll(IMPORTS)].at(-1);
  return last === undefined ? 0 : last.index + last[0].length;
}

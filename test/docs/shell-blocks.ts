import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { read } from './markdown.js';

export interface ShellBlock {
  readonly path: string;
  /** Of the line with the fence, counted from 1. */
  readonly line: number;
  /** `sh` is run as it is written; `console` needs what a test has not, such as Docker, root or another host. */
  readonly language: 'sh' | 'console';
  readonly code: string;
}

/** Every document that people read, apart from the decisions. */
export const DOCUMENTS = ['.', 'docs', 'bench', 'examples', 'examples/gateway-chat', 'deploy/helm/gatehouse'].flatMap(
  (folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
);

/** The blocks of commands of a document, in their order, also those that are indented as a part of a list. */
export function shellBlocks(path: string): ShellBlock[] {
  const text = read(path);
  const blocks = text.matchAll(/^( *)```(sh|console)\n([^]*?)^\1```/gm);
  return Array.from(blocks, ({ index, 1: indent = '', 2: language, 3: code = '' }) => ({
    path,
    line: text.slice(0, index).split('\n').length,
    language: language as ShellBlock['language'],
    code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

/** Whether the last command of a block is a server, which stays in the foreground: what follows is for another terminal. */
export function isServer({ code }: ShellBlock): boolean {
  return /(?:npm start|node dist\/src\/main\.js)\n$/.test(code);
}

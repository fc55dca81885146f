import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly name: string;
  readonly matchers: readonly Matcher[];
  /** The function that reads it, such as `rate`; undefined where none does. */
  readonly reader: string | undefined;
}

export interface Expression {
  /** Where it is no PromQL. */
  readonly faults: readonly string[];
  readonly selectors: readonly Selector[];
  /** In `by`, `without`, `on`, `ignoring` and `group_left`. */
  readonly groupings: readonly string[];
}

/** What lies between a selector and the function that reads it. */
const WRAPPERS = new Set(['MatrixSelector', 'OffsetExpr', 'ParenExpr', 'StepInvariantExpr', 'FunctionCallBody']);

export function readExpression(text: string): Expression {
  const faults: string[] = [];
  const selectors: Selector[] = [];
  const groupings: string[] = [];
  parser.parse(text).iterate({
    enter: ({ node }) => {
      if (node.type.isError) faults.push(`no PromQL at ${node.from}: ${text.slice(node.from, node.from + 20)}`);
      if (node.name === 'VectorSelector') selectors.push(selectorOf(node, text));
      if (node.name === 'GroupingLabels') groupings.push(...children(node, 'LabelName', text));
    },
  });
  return { faults, selectors, groupings };
}

function selectorOf(node: SyntaxNode, text: string): Selector {
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
  return {
    name: children(node, 'Identifier', text)[0] ?? '',
    matchers: matchers.map((matcher) => ({
      label: children(matcher, 'LabelName', text)[0] ?? '',
      operator: children(matcher, 'MatchOp', text)[0] ?? '',
      value: unquoted(children(matcher, 'StringLiteral', text)[0] ?? ''),
    })),
    reader: readerOf(node, text),
  };
}

function readerOf(node: SyntaxNode, text: string): string | undefined {
  let above = node.parent;
  while (above !== null && WRAPPERS.has(above.name)) above = above.parent;
  return above?.name === 'FunctionCall' ? children(above, 'FunctionIdentifier', text)[0] : undefined;
}

function children(node: SyntaxNode, type: string, text: string): string[] {
  return node.getChildren(type).map(({ from, to }) => text.slice(from, to));
}

/** None of ours holds an escape. */
function unquoted(literal: string): string {
  return literal.slice(1, -1);
}

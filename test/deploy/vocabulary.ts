import { literal, table } from '../docs/markdown.js';
import type { Scrape } from '../support/scrape.js';
import { readExpression, type Matcher, type Selector } from './promql.js';

interface Known {
  readonly type: string;
  /** The values seen, by label. None were seen of a label that only the document knows. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What Prometheus gives to every series that it scrapes. */
const LABELS_OF_PROMETHEUS = ['job', 'instance'];
/** With those that a node with workers gives to each of its series. */
const TARGET_LABELS = [...LABELS_OF_PROMETHEUS, 'worker'];
/** What Prometheus makes by itself. */
const OWN_SERIES: Readonly<Record<string, readonly string[]>> = {
  up: LABELS_OF_PROMETHEUS,
  ALERTS: [...LABELS_OF_PROMETHEUS, 'alertname', 'alertstate', 'severity'],
};
/** What may be asked of what only grows, and nothing else of it. */
const READERS_OF_COUNTERS = new Set(['rate', 'irate', 'increase']);
const READERS_OF_GAUGES = new Set(['deriv', 'delta', 'idelta', 'predict_linear']);

/** The names, labels and values that an expression may hold: those of a real /metrics, and those that the document lists. */
export class Vocabulary {
  private readonly known = new Map<string, Known>();

  /** @param catalogues tables with the columns `name`, `labels` and `what` */
  constructor(scrape: Scrape, ...catalogues: readonly string[]) {
    for (const [name, labels] of Object.entries(OWN_SERIES)) this.learn(name, 'own', labels);
    this.learnScrape(scrape.text);
    for (const catalogue of catalogues) this.learnCatalogue(catalogue);
  }

  /** A recorded series. Its name says its labels, `job_reason:…`, and has them of what it is made of. */
  record(name: string, expression: string): void {
    const level = name.split(':')[0] ?? '';
    const sources = readExpression(expression).selectors;
    this.learn(name, 'recorded', level === 'instance' ? TARGET_LABELS : level.split('_'));
    for (const source of sources) {
      for (const [label, values] of this.known.get(source.name)?.labels ?? []) this.learnValues(name, label, values);
    }
  }

  /** What is wrong with it; nothing, where all of it is known. */
  faultsOf(expression: string): string[] {
    const { faults, selectors, groupings } = readExpression(expression);
    if (selectors.length === 0) return [...faults, 'it reads no metric'];
    const labels = new Set([...TARGET_LABELS, ...selectors.flatMap(({ name }) => [...this.labelsOf(name)])]);
    return [
      ...faults,
      ...selectors.flatMap((selector) => this.faultsOfSelector(selector)),
      ...groupings.filter((label) => !labels.has(label)).map((label) => `nothing here has the label ${label}`),
    ];
  }

  private faultsOfSelector({ name, matchers, reader }: Selector): string[] {
    const known = this.known.get(name);
    if (known === undefined) return [`there is no ${name}`];
    return [
      ...readerFaults(name, known.type, reader),
      ...matchers.flatMap((matcher) => matcherFaults(name, known, matcher)),
    ];
  }

  private labelsOf(name: string): Iterable<string> {
    return this.known.get(name)?.labels.keys() ?? [];
  }

  private learnScrape(text: string): void {
    for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\w+)$/gm)) this.learnType(name, type);
    for (const [, name = '', labels = ''] of text.matchAll(/^([a-zA-Z_]\w*)\{(.*)\} \S+$/gm)) {
      for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
        this.learnValues(name, label, [value]);
      }
    }
  }

  private learnCatalogue(catalogue: string): void {
    for (const { name, labels = '', what = '' } of table(catalogue, 'name')) {
      const metric = literal(name) ?? '';
      if (!this.known.has(metric) && !this.known.has(`${metric}_count`)) this.learnType(metric, typeOf(metric, what));
      for (const series of [metric, ...partsOf(metric)].filter((candidate) => this.known.has(candidate))) {
        for (const [label = ''] of labels.matchAll(/\w+/g)) this.learnValues(series, label, wordsOf(what));
      }
    }
  }

  private learnType(name: string, type: string): void {
    if (type !== 'histogram') {
      this.learn(name, type, TARGET_LABELS);
      return;
    }
    for (const part of partsOf(name)) this.learn(part, 'counter', TARGET_LABELS);
    this.learnValues(`${name}_bucket`, 'le', []);
  }

  private learn(name: string, type: string, labels: Iterable<string>): void {
    this.known.set(name, { type, labels: new Map([...labels].map((label) => [label, new Set<string>()])) });
  }

  private learnValues(name: string, label: string, values: Iterable<string>): void {
    const known = this.known.get(name);
    if (known === undefined) return;
    const seen = known.labels.get(label) ?? [];
    this.known.set(name, { ...known, labels: new Map([...known.labels, [label, new Set([...seen, ...values])]]) });
  }
}

function readerFaults(name: string, type: string, reader = ''): string[] {
  if (READERS_OF_COUNTERS.has(reader) && type !== 'counter') return [`${reader} of ${name}, which is a ${type}`];
  if (READERS_OF_GAUGES.has(reader) && type !== 'gauge') return [`${reader} of ${name}, which is a ${type}`];
  return [];
}

function matcherFaults(name: string, { labels }: Known, { label, operator, value }: Matcher): string[] {
  const values = labels.get(label);
  if (values === undefined) return [`${name} has no label ${label}`];
  // What a target is called is up to who runs it.
  if (TARGET_LABELS.includes(label) || values.size === 0) return [];
  const alternatives = operator.endsWith('~') ? value.split('|') : [escaped(value)];
  return alternatives
    .map((alternative) => new RegExp(`^(?:${alternative})$`))
    .filter((pattern) => ![...values].some((candidate) => pattern.test(candidate)))
    .map(() => `${label} of ${name} is never ${value}`);
}

/** Of a metric that this server does not show, for it has no use for it. */
function typeOf(name: string, what: string): string {
  if (what.includes('(histogram)')) return 'histogram';
  return name.endsWith('_total') ? 'counter' : 'gauge';
}

function partsOf(histogram: string): string[] {
  return ['bucket', 'sum', 'count'].map((part) => `${histogram}_${part}`);
}

function wordsOf(text: string): string[] {
  return [...text.matchAll(/`([\w.]+)`/g)].map(([, word = '']) => word);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

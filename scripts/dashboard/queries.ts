/** Of the chosen job, on the chosen nodes. */
export const CHOSEN = 'job="$job", instance=~"$instance"';

/** A metric as it is, of each chosen node. @param matchers such as `state="ready"` */
export function series(name: string, matchers = ''): string {
  return `${name}{${[CHOSEN, matchers].filter((part) => part !== '').join(', ')}}`;
}

export function total(name: string, by: readonly string[] = [], matchers = ''): string {
  return `${sumBy(by)} (${series(name, matchers)})`;
}

/** How many a second, of all chosen nodes together. */
export function rate(name: string, by: readonly string[] = [], matchers = ''): string {
  return `${sumBy(by)} (${perSecond(name, matchers)})`;
}

/** The same of one counter of each node. */
export function perSecond(name: string, matchers = ''): string {
  return `rate(${series(name, matchers)}[$__rate_interval])`;
}

/** @param by labels beside `le` that are kept apart */
export function quantile(share: number, histogram: string, by: readonly string[] = []): string {
  return `histogram_quantile(${share}, ${rate(`${histogram}_bucket`, [...by, 'le'])})`;
}

/** Three quantiles by their legends. */
export function quantiles(histogram: string): Record<string, string> {
  return {
    'half below': quantile(0.5, histogram),
    '95 % below': quantile(0.95, histogram),
    '99 % below': quantile(0.99, histogram),
  };
}

/** What a heatmap draws: how many fell into each bucket. */
export function buckets(histogram: string, matchers = ''): string {
  return `sum by (le) (increase(${series(`${histogram}_bucket`, matchers)}[$__rate_interval]))`;
}

function sumBy(labels: readonly string[]): string {
  return labels.length === 0 ? 'sum' : `sum by (${labels.join(', ')})`;
}

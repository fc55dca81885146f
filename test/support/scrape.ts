import { fetch } from './fetch.js';
import { ask } from './http-client.js';

/** What /metrics shows at one moment. The counters are the process's, so tests look at differences. */
export class Scrape {
  constructor(readonly text: string) {}

  /** @param ca whom to trust, where the server speaks TLS */
  static async of({ http }: { readonly http: string }, ca?: string): Promise<Scrape> {
    if (ca !== undefined) return new Scrape((await ask(`${http}/metrics`, { ca })).body);
    // As a trusted proxy says it, for servers that demand TLS.
    const response = await fetch(`${http}/metrics`, { headers: { 'x-forwarded-proto': 'https' } });
    if (response.status !== 200) throw new Error(`/metrics answered ${response.status}`);
    return new Scrape(await response.text());
  }

  /** @param series such as `websocket_errors_total{code="TIMEOUT"}`; one that is not there counts as 0 */
  value(series: string): number {
    const line = this.text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
    return line === undefined ? 0 : Number(line.slice(series.length + 1));
  }

  /** By how much a series grew since an earlier scrape. */
  since(earlier: Scrape, series: string): number {
    return this.value(series) - earlier.value(series);
  }

  /** `counter`, `gauge` or `histogram`; undefined where the metric is not there. */
  type(name: string): string | undefined {
    return new RegExp(`^# TYPE ${name} (\\w+)$`, 'm').exec(this.text)?.[1];
  }

  /** Every value that a label of a metric has. */
  labels(name: string, label: string): string[] {
    return [...this.text.matchAll(new RegExp(`^${name}\\{.*?${label}="([^"]*)"`, 'gm'))].map(([, value = '']) => value);
  }
}

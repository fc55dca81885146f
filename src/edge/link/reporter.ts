import { Inject, Injectable } from '@nestjs/common';
import { EdgeFacts } from '../edge-facts.js';
import { REPORT_MS } from '../edge-report.js';
import { Teller } from './teller.js';
import { Upstream } from './upstream.js';

/** Tells the centre how this edge is. A report that is lost is of no use later. */
@Injectable()
export class Reporter extends Teller {
  constructor(
    upstream: Upstream,
    @Inject(EdgeFacts) private readonly facts: Pick<EdgeFacts, 'read'>,
  ) {
    super(upstream, REPORT_MS);
  }

  protected override async tell(): Promise<void> {
    await this.send('edge.report', await this.facts.read());
  }
}

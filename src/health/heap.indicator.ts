import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { heapUse } from '../lifecycle/heap.js';

/** The used share of the heap limit. */
@Injectable()
export class HeapIndicator {
  constructor(private readonly indicators: HealthIndicatorService) {}

  /** @param maxPercent share of the heap limit above which it is down; 0: never */
  check(maxPercent: number): HealthIndicatorResult {
    const { usedBytes, percent } = heapUse();
    const indicator = this.indicators.check('heap');
    return maxPercent > 0 && percent > maxPercent
      ? indicator.down({ usedBytes, percent, maxPercent })
      : indicator.up({ usedBytes, percent });
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import proxyAddr from 'proxy-addr';
import type { AccessSettings } from '../access-settings.js';

/** Addresses that no limit of an address holds for, and no automatic ban. */
@Injectable()
export class ExemptAddresses {
  /** Undefined where there are none, so that nobody's address is read for it. */
  private readonly covers: ((address: string, hop: number) => boolean) | undefined;

  constructor(@Inject(Settings) { connections }: AccessSettings) {
    const { exemptAddresses } = connections;
    this.covers = exemptAddresses.length > 0 ? proxyAddr.compile([...exemptAddresses]) : undefined;
  }

  /** @param address as it came, not cut to a /64 */
  has(address: string): boolean {
    return this.covers?.(address, 0) ?? false;
  }
}

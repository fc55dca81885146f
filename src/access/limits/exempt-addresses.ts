import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import proxyAddr from 'proxy-addr';
import type { AccessSettings } from '../access-settings.js';

/** Addresses without limits per address and without automatic bans. */
@Injectable()
export class ExemptAddresses {
  /** Undefined if there are none, so that no address is parsed in vain. */
  private readonly covers: ((address: string, hop: number) => boolean) | undefined;

  constructor(@Inject(Settings) { connections }: AccessSettings) {
    const { exemptAddresses } = connections;
    this.covers = exemptAddresses.length > 0 ? proxyAddr.compile([...exemptAddresses]) : undefined;
  }

  /** @param address as it arrived, not cut to a /64 */
  has(address: string): boolean {
    return this.covers?.(address, 0) ?? false;
  }
}

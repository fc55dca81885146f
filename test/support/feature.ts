import type { DynamicModule, Provider } from '@nestjs/common';

/** A module as a user would write it: the test's gateways and what they need. */
export function feature(providers: Provider[], imports: DynamicModule['imports'] = []): DynamicModule {
  return { module: class TestFeature {}, providers, imports };
}

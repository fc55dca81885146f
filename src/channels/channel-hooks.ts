import { Injectable, SetMetadata, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { Session } from '../sessions/session.js';
import type { Channel } from './channel.js';

const HOOK = 'gatehouse:channel-hook';

type Moment = 'subscribe' | 'publish';

interface HookMark {
  readonly moment: Moment;
  readonly namespace: string;
}

/** What a hook is asked about. */
export interface ChannelRequest {
  readonly session: Session;
  readonly channel: Channel;
  /** What is to be published; undefined at a subscribe. */
  readonly data?: unknown;
}

/** Throws to refuse, preferably a GatehouseError; may be asynchronous. */
type Hook = (request: ChannelRequest) => unknown;

/** The method decides on every client's subscribe in the namespace, after the namespace's own rule has passed. */
export function BeforeSubscribe(namespace: string): MethodDecorator {
  return SetMetadata(HOOK, { moment: 'subscribe', namespace } satisfies HookMark);
}

/** The method decides on every client's publish in the namespace, after the namespace's own rule has passed. */
export function BeforePublish(namespace: string): MethodDecorator {
  return SetMetadata(HOOK, { moment: 'publish', namespace } satisfies HookMark);
}

/** Finds and calls the hooks that features have put on methods of their providers. */
@Injectable()
export class ChannelHooks implements OnApplicationBootstrap {
  private readonly hooks = new Map<string, Hook[]>();
  private readonly methods = new MetadataScanner();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
  ) {}

  onApplicationBootstrap(): void {
    for (const { instance } of this.discovery.getProviders()) {
      if (typeof instance === 'object' && instance !== null) this.collect(instance as Record<string, Hook>);
    }
  }

  async ask(moment: Moment, request: ChannelRequest): Promise<void> {
    for (const hook of this.hooks.get(`${moment} ${request.channel.namespace.name}`) ?? []) await hook(request);
  }

  private collect(provider: Record<string, Hook>): void {
    for (const name of this.methods.getAllMethodNames(Object.getPrototypeOf(provider) as object)) {
      const method = provider[name];
      const mark = method && this.reflector.get<HookMark | undefined>(HOOK, method);
      if (!mark) continue;
      const key = `${mark.moment} ${mark.namespace}`;
      this.hooks.set(key, [...(this.hooks.get(key) ?? []), method.bind(provider)]);
    }
  }
}

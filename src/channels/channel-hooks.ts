import { Injectable, Optional, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { Session } from '../sessions/session.js';
import { fixFor, type Channel } from './channel.js';
import { ChannelsSettings } from './channels-settings.js';

const HOOK = 'gatehouse:channel-hook';

export type Moment = 'subscribe' | 'publish';

interface HookMark {
  readonly moment: Moment;
  readonly namespace: string;
}

/** The request that a hook decides about. */
export interface ChannelRequest {
  readonly session: Session;
  readonly channel: Channel;
  /** The data to publish; undefined for a subscribe. */
  readonly data?: unknown;
}

/** Throws to refuse, preferably a GatehouseError. May be asynchronous. */
type Hook = (request: ChannelRequest) => unknown;

/** A port: decides about requests of clients when the namespace and the application's hooks allow them. May be absent. */
export abstract class ChannelDecisions {
  /**
   * @returns the data to publish, which may be other data than the client's; ignored at a subscribe
   * @throws GatehouseError or WsException to refuse
   */
  abstract decide(moment: Moment, request: ChannelRequest): Promise<unknown>;
}

/** A hook that could never be called, or not as it was meant: the application cannot start. */
export class UnusableHook extends Error {
  constructor(hook: string, fault: string) {
    super(`The channel hook ${hook} ${fault}`);
    this.name = 'UnusableHook';
  }
}

/** The method decides about every client's subscribe in the namespace, after the namespace's own rule has passed. */
export function BeforeSubscribe(namespace: string): MethodDecorator {
  return mark({ moment: 'subscribe', namespace });
}

/** The method decides about every client's publish in the namespace, after the namespace's own rule has passed. */
export function BeforePublish(namespace: string): MethodDecorator {
  return mark({ moment: 'publish', namespace });
}

/** One method may have several decorators. */
function mark(added: HookMark): MethodDecorator {
  return (_target, _name, descriptor) => {
    const method = descriptor.value as object;
    const present = (Reflect.getMetadata(HOOK, method) ?? []) as readonly HookMark[];
    Reflect.defineMetadata(HOOK, [...present, added], method);
  };
}

/** Remembers the methods of a class, also for the next server of this process. */
const METHODS = new MetadataScanner();

/** Finds and calls the hooks in the providers of features. */
@Injectable()
export class ChannelHooks implements OnApplicationBootstrap {
  private readonly hooks = new Map<string, Hook[]>();

  constructor(
    private readonly settings: ChannelsSettings,
    private readonly discovery: DiscoveryService,
    @Optional() private readonly decisions?: ChannelDecisions,
  ) {}

  /** @throws UnusableHook */
  onApplicationBootstrap(): void {
    const seen = new Set<unknown>();
    for (const wrapper of this.discovery.getProviders()) {
      const { instance } = wrapper as { instance: unknown };
      // One instance may be provided under several tokens.
      if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
      seen.add(instance);
      this.collect(instance as Record<string, Hook>, wrapper.isDependencyTreeStatic());
    }
  }

  /**
   * Asks the hooks of the application, and then the back end if there is one.
   *
   * @returns the data to publish: the client's, unless the back end replaced it
   * @throws what a hook throws to refuse
   */
  async ask(moment: Moment, request: ChannelRequest): Promise<unknown> {
    for (const hook of this.hooks.get(`${moment} ${request.channel.namespace.name}`) ?? []) await hook(request);
    return this.decisions === undefined ? request.data : this.decisions.decide(moment, request);
  }

  /** Whether anybody is asked at all: `ask` need not be awaited otherwise. */
  has(moment: Moment, { namespace }: Channel): boolean {
    return this.decisions !== undefined || this.hooks.has(`${moment} ${namespace.name}`);
  }

  /** Has a hook asked about every client's publish or subscribe in the namespace. */
  add(moment: Moment, namespace: string, hook: Hook): void {
    const key = `${moment} ${namespace}`;
    this.hooks.set(key, [...(this.hooks.get(key) ?? []), hook]);
  }

  private collect(provider: Record<string, Hook>, isStatic: boolean): void {
    for (const name of METHODS.getAllMethodNames(Object.getPrototypeOf(provider) as object)) {
      const method = provider[name];
      if (method === undefined) continue;
      const marks = (Reflect.getMetadata(HOOK, method) as readonly HookMark[] | undefined) ?? [];
      for (const { moment, namespace } of marks) {
        const label = `${provider.constructor.name}.${name}`;
        if (!isStatic) throw new UnusableHook(label, 'belongs to a request-scoped provider');
        if (!this.settings.namespaces.has(namespace))
          throw new UnusableHook(label, `names no namespace: ${namespace}. ${fixFor(this.settings)}`);
        this.add(moment, namespace, (request) => method.call(provider, request));
      }
    }
  }
}

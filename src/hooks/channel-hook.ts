import { Injectable } from '@nestjs/common';
import type { ChannelHook, Hooks } from '../../config/hooks.js';
import type { ChannelDecisions, ChannelRequest, Moment } from '../channels/channel-hooks.js';
import { denialOf, onlyFields, refusalFrom, sessionForBackEnd, unavailable, type Denial } from './answers.js';
import type { HookAnswer } from './hook-client.js';
import type { HookClients } from './hook-clients.js';
import { HookFailure } from './hook-failure.js';

interface Decision {
  readonly denied: Denial | undefined;
  /** Undefined: the client's own. */
  readonly data?: unknown;
}

/** Asks the back end about subscribes and publishes in the namespaces of its hooks. */
@Injectable()
export class ChannelHookDecisions implements ChannelDecisions {
  constructor(
    private readonly hooks: Pick<Hooks, Moment>,
    private readonly clients: HookClients,
  ) {}

  async decide(moment: Moment, request: ChannelRequest): Promise<unknown> {
    const hook = this.hooks[moment];
    if (!hook?.namespaces.includes(request.channel.namespace.name)) return request.data;
    const { denied, data } = await this.ask(moment, request, hook);
    if (denied !== undefined) {
      this.clients.decided({ ...decisionAbout(moment, request, hook), verdict: 'denied', code: denied.code });
      throw refusalFrom(denied);
    }
    return data === undefined ? request.data : data;
  }

  private async ask(moment: Moment, request: ChannelRequest, hook: ChannelHook): Promise<Decision> {
    const { session, channel, data } = request;
    const about = { ...sessionForBackEnd(session), channel: channel.name, ...(moment === 'publish' && { data }) };
    try {
      return await this.clients.post(hook.endpoint, { type: moment, data: about }, READERS[moment]);
    } catch (error) {
      if (!(error instanceof HookFailure)) throw error;
      if (hook.onFailure !== 'allow') throw unavailable();
      this.clients.decided({ ...decisionAbout(moment, request, hook), verdict: 'allowed_unasked' });
      return { denied: undefined };
    }
  }
}

function decisionAbout(hook: Moment, { session, channel }: ChannelRequest, { endpoint }: ChannelHook) {
  return { hook, endpoint, session, target: channel.name };
}

const READERS: Readonly<Record<Moment, (answer: HookAnswer) => Decision>> = {
  subscribe(answer) {
    onlyFields(answer, ['deny']);
    return { denied: denialOf(answer.deny) };
  },
  publish(answer) {
    onlyFields(answer, ['deny', 'data']);
    return { denied: denialOf(answer.deny), data: answer.data };
  },
};

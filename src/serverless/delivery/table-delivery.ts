import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { OutboundMessage } from '@gatehouse/protocol';
import type { BroadcastDelivery } from '../../broadcast/delivery.js';
import { channelNamed } from '../../channels/channel.js';
import { ChannelsSettings } from '../../channels/channels-settings.js';
import type { LocalChannelSetup } from '../../channels/local-channel-setup.js';
import { eventsOf, messagesOf } from '../../channels/pushes.js';
import type { BrokerListener, ChannelName, Publication } from '../../cluster/ports/broker.js';
import { jsonCodec } from '../../protocol/codecs/json-codec.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Found } from '../connections/connections-table.js';
import { memberKey, type Member } from '../connections/subscriptions-table.js';
import type { DeliveryToMany } from '../engine/table-bus.js';
import type { PublicationCheck } from '../engine/table-broker.js';
import { ServerlessHost } from '../host.js';
import { Invocation } from '../invocation.js';
import { demandRoom, type Receivers } from './fan-out.js';

const PRESENCE = '@presence:';

/** Messages to many, encoded once and posted to the connections that the tables name. */
@Injectable()
export class TableDelivery implements OnModuleInit, BrokerListener, DeliveryToMany, PublicationCheck {
  constructor(
    private readonly host: ServerlessHost,
    private readonly settings: ChannelsSettings,
  ) {}

  onModuleInit(): void {
    const { broker, bus } = this.host.engine;
    broker.listen(this);
    broker.check = this;
    bus.delivery = this;
  }

  async deliver({ target, except, ...message }: BroadcastDelivery): Promise<number> {
    const payload = encoded(message);
    return this.host.fanOut.send(payload, this.receiversOf(target, new Set(except)));
  }

  published(channel: ChannelName, publication: Publication, epoch: string): void {
    const setup = this.setupOf(channel);
    if (setup === undefined) return;
    const payload = encoded(setup.render(publication, epoch, setup.channel));
    const subject = setup.subjectOf?.(publication);
    const isMeant = ({ connectionId, userId }: Member): boolean =>
      connectionId !== publication.excludeSession && userId !== subject;
    const sending = this.host.fanOut.send(payload, { channel, pages: this.membersOf(channel, isMeant) });
    Invocation.current.track('a publication', sending.catch(countCut));
  }

  /** Everybody who subscribes reads the histories. */
  interrupted(): void {}

  demandRoom(channel: ChannelName, publication: Publication): void {
    const setup = this.setupOf(channel);
    if (setup !== undefined) demandRoom(encoded(setup.render(publication, 'epoch-01', setup.channel)));
  }

  /** Undefined for a channel whose namespace is not configured any more. */
  private setupOf(name: ChannelName): LocalChannelSetup | undefined {
    const { namespaces } = this.settings;
    if (name.startsWith(PRESENCE)) return eventsOf(channelNamed(name.slice(PRESENCE.length), namespaces));
    return messagesOf(channelNamed(name, namespaces));
  }

  private receiversOf(target: BroadcastDelivery['target'], except: ReadonlySet<string>): Receivers {
    const { connections } = this.host;
    const all = (): true => true;
    switch (target.to) {
      case 'everyone':
        return { pages: idsOf(connections.everyone(), all, except) };
      case 'role':
        return { pages: idsOf(connections.everyone(), ({ roles }) => roles.includes(target.name), except) };
      case 'user':
        return { pages: idsOf(connections.ofUser(target.name), all, except) };
      case 'session':
        return { pages: idsOf(one(target.name), all, except) };
      case 'channel': {
        const channel = target.name as ChannelName;
        return { channel, pages: this.membersOf(channel, ({ connectionId }) => !except.has(connectionId)) };
      }
      default:
        throw new TypeError('Unknown target of a delivery');
    }
  }

  private async *membersOf(channel: ChannelName, isMeant: (member: Member) => boolean): AsyncGenerator<string[]> {
    for await (const page of this.host.subscriptions.of(channel)) yield page.filter(isMeant).map(memberKey);
  }
}

/** A busy table is no fault. Receivers that have not been read notice the gap with the next publication. */
function countCut(error: unknown): void {
  if (!(error instanceof GatehouseError) || error.code !== 'SERVER_BUSY') throw error;
  Invocation.current.outcomes.add('delivery_cut');
}

function encoded(message: OutboundMessage): Uint8Array {
  const payload = jsonCodec.encode(message);
  return typeof payload === 'string' ? Buffer.from(payload) : payload;
}

async function* one(connectionId: string): AsyncGenerator<readonly Found[]> {
  yield [{ connectionId, roles: [] }];
}

async function* idsOf(
  pages: AsyncIterable<readonly Found[]>,
  isMeant: (found: Found) => boolean,
  except: ReadonlySet<string>,
): AsyncGenerator<string[]> {
  for await (const page of pages) {
    yield page
      .filter((found) => !except.has(found.connectionId) && isMeant(found))
      .map(({ connectionId }) => connectionId);
  }
}

import type { INestApplication } from '@nestjs/common';
import { Ajv, type ValidateFunction } from 'ajv';
import type { BroadcastDelivery } from '../broadcast/delivery.js';
import { Broadcaster } from '../broadcast/broadcaster.js';
import { Channels } from '../channels/channels.js';
import { ContractBuilder } from '../contract/contract-builder.js';
import type { ContractModel } from '../contract/contract-model.js';
import { referenceIn, withReferences, type JsonSchema } from '../contract/schemas/json-schema.js';
import { jsonText } from '../protocol/codecs/json-codec.js';
import type { OutboundMessage } from '@gatehouse/protocol';
import { SessionRegistry } from '../sessions/session-registry.js';
import type { Session } from '../sessions/session.js';

/** The application sent what its contract does not declare. The message says what to do. */
export class ContractViolation extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'ContractViolation';
  }
}

const SCHEMAS = '#/definitions/';
const REPLY = /_reply$/;

/** Holds everything that an application sends against its contract. What does not fit throws where it is sent. */
export class OutgoingCheck {
  /** What was thrown and that no request of a test has been answered with. */
  readonly violations: ContractViolation[] = [];
  private readonly ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  private readonly validators = new Map<JsonSchema, ValidateFunction>();
  private readonly events: ReadonlyMap<string, JsonSchema>;
  private readonly replies: ReadonlyMap<string, JsonSchema | undefined>;
  private readonly publications: ReadonlyMap<string, JsonSchema>;

  constructor(private readonly contract: ContractModel) {
    this.events = new Map(contract.events.map(({ type, data }) => [type, data]));
    this.replies = new Map(contract.requests.map(({ type, reply }) => [`${type}_reply`, reply]));
    this.publications = new Map(contract.publications.map(({ namespace, data }) => [namespace, data]));
  }

  /** Puts the check before whatever sends. Only tests pay for it: a server of its own has none. */
  static async before(app: INestApplication): Promise<OutgoingCheck> {
    const check = new OutgoingCheck(await app.get(ContractBuilder, { strict: false }).build());
    check.watchBroadcaster(app.get(Broadcaster, { strict: false }));
    check.watchChannels(app.get(Channels, { strict: false }));
    app
      .get(SessionRegistry, { strict: false })
      .events.prependListener('opened', (session) => check.watchSession(session));
    return check;
  }

  private watchBroadcaster(broadcaster: Broadcaster): void {
    const emit = broadcaster.emit.bind(broadcaster);
    const deliver = broadcaster.deliver.bind(broadcaster);
    broadcaster.emit = (delivery: BroadcastDelivery) => {
      this.demandEvent(delivery);
      return emit(delivery);
    };
    broadcaster.deliver = async (delivery: BroadcastDelivery) => {
      this.demandEvent(delivery);
      return deliver(delivery);
    };
  }

  private watchChannels(channels: Channels): void {
    const publish = channels.publish.bind(channels) as (...given: unknown[]) => ReturnType<Channels['publish']>;
    const checked = async (...given: unknown[]): ReturnType<Channels['publish']> => {
      const [channel, second] = given;
      const name = typeof channel === 'string' ? channel : (channel as { readonly name: string }).name;
      const data = typeof channel === 'string' ? second : (second as { readonly data: unknown }).data;
      this.demandPublication(name, data);
      return publish(...given);
    };
    channels.publish = checked;
  }

  private watchSession(session: Session): void {
    const send = session.send.bind(session);
    session.send = (message) => {
      if ('code' in message) return send(message);
      if (REPLY.test(message.type) && this.replies.has(message.type)) this.demandReply(message);
      else this.demandEvent(message);
      return send(message);
    };
  }

  private demandEvent({ type, data, enc }: Pick<OutboundMessage, 'type' | 'data' | 'enc'>): void {
    const schema = this.events.get(type);
    const advice = `Put @Emits('${type}', ItsClass) before the gateway that sends it`;
    if (schema === undefined) this.fail(`"${type}" is sent, and the contract does not declare it. ${advice}`);
    else if (enc === undefined) this.demandFit(`"${type}"`, schema, data);
  }

  private demandReply({ type, data, enc }: OutboundMessage): void {
    const schema = this.replies.get(type);
    const name = `The reply to "${type.replace(REPLY, '')}"`;
    if (enc !== undefined) return;
    if (schema !== undefined) this.demandFit(name, schema, data);
    else if (data !== undefined)
      this.fail(`${name} carries data, and the contract says it does not. Put @Reply(ItsClass) on the handler`);
  }

  private demandPublication(channel: string, data: unknown): void {
    const schema = this.publications.get(channel.slice(0, channel.indexOf(':')));
    if (schema !== undefined) this.demandFit(`A publication in "${channel}"`, schema, data);
  }

  private demandFit(what: string, schema: JsonSchema, data: unknown): void {
    if (Object.keys(schema).length === 0) return;
    const validate = this.validatorFor(schema);
    if (validate(asClientsRead(data))) return;
    const reasons = this.ajv.errorsText(validate.errors, { dataVar: 'data' });
    this.fail(`${what} does not fit ${nameOf(schema)}: ${reasons}. Send what the class says, or change the class`);
  }

  private validatorFor(schema: JsonSchema): ValidateFunction {
    const known = this.validators.get(schema);
    if (known) return known;
    const definitions = this.contract.schemas;
    const made = this.ajv.compile(withReferences({ allOf: [schema], definitions }, SCHEMAS));
    this.validators.set(schema, made);
    return made;
  }

  private fail(sentence: string): never {
    const violation = new ContractViolation(sentence);
    this.violations.push(violation);
    throw violation;
  }
}

/** Times and bytes become text on their way. What cannot be sent at all fails where it is encoded. */
function asClientsRead(data: unknown): unknown {
  try {
    return data === undefined ? undefined : JSON.parse(jsonText(data));
  } catch {
    return data;
  }
}

function nameOf(schema: JsonSchema): string {
  return referenceIn(schema) ?? (schema.items ? `a list of ${nameOf(schema.items)}` : 'what the contract declares');
}

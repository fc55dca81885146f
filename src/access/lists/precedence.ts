import { Injectable } from '@nestjs/common';
import type { Principal } from '../../authentication/principal.js';
import { giverOf, isAbove, type GivenOrder, type Standing } from '../../cluster/ports/given-order.js';
import { NodeBus } from '../../cluster/ports/node-bus.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import type { Session } from '../../sessions/session.js';
import { Revocations } from './revocations.js';
import { highestOf, outranked, standingOf } from './standing.js';

/** A person, identified by user id, by the `jti` of a token, or by a session. */
export interface Person {
  readonly by: 'user' | 'token' | 'session';
  readonly id: string;
}

/** An order in force, and the user that it concerns, if any. */
export type StandingOrder = GivenOrder & { readonly userId?: string | undefined };

const KIND = 'standing';
const STANDINGS: ReadonlySet<unknown> = new Set<Standing>(['none', 'SERVICE', 'ADMIN']);

/**
 * Decides who may do what to whom: nobody grants a role, undoes an order, or acts on a person above themselves.
 *
 * The standing of a user is known if the user is connected, or has changed rights. For others only the token tells, so
 * nodes check each order again when the token arrives.
 */
@Injectable()
export class Precedence {
  constructor(
    private readonly bus: NodeBus,
    private readonly sessions: SessionRegistry,
    private readonly revocations: Revocations,
  ) {
    bus.handle(KIND, (payload) => this.standingHere(personOf(payload)));
  }

  /** @throws GatehouseError FORBIDDEN if the person is known to stand above the actor */
  async demandOver(actor: Principal, person: Person): Promise<void> {
    const own = standingOf(actor);
    // Nobody stands above an ADMIN, so the other nodes need not be asked.
    if (own === 'ADMIN') return;
    const { received } = await this.bus.ask<unknown>(KIND, person);
    const standing = highestOf([this.standingHere(person), ...[...received.values()].filter(isStanding)]);
    if (isAbove(standing, own)) throw forbidden(`This needs the role ${standing}, because the user in question has it`);
  }

  /** @throws GatehouseError FORBIDDEN if one of the roles stands above the actor */
  demandGrant(actor: Principal, roles: readonly string[]): void {
    const granted = standingOf({ roles });
    if (isAbove(granted, standingOf(actor))) throw forbidden(`Only an ${granted} can grant the role ${granted}`);
  }

  /**
   * Checks that the actor may lift or replace an order that this node knows. The store checks it again, because this
   * node may not have heard of the order yet.
   *
   * @param order undefined if there is none
   * @throws GatehouseError FORBIDDEN if someone above the actor gave the order, or it is about the actor
   */
  demandUndo(actor: Principal, order: StandingOrder | undefined): void {
    if (order === undefined) return;
    if (order.userId === actor.userId)
      throw forbidden('An order about yourself can only be undone by another operator');
    if (isAbove(giverOf(order), standingOf(actor))) throw outranked(order);
  }

  private standingHere({ by, id }: Person): Standing {
    const found: Standing[] = [];
    if (by === 'session') found.push(...this.standingsOf(this.sessions.get(id)));
    else if (by === 'user') found.push(...this.standingsOf(...this.sessions.ofUser(id)), this.granted(id));
    else this.sessions.forEach((session) => found.push(...this.standingsOf(ownerOf(session, id))));
    return highestOf(found);
  }

  private standingsOf(...sessions: readonly (Session | undefined)[]): readonly Standing[] {
    return sessions.flatMap((session) => (session ? [standingOf(session.principal)] : []));
  }

  private granted(userId: string): Standing {
    const change = this.revocations.get('rights', userId);
    return change && change.until > Date.now() ? standingOf(change) : 'none';
  }
}

function ownerOf(session: Session, tokenId: string): Session | undefined {
  return session.principal.tokenId === tokenId ? session : undefined;
}

function personOf(payload: unknown): Person {
  const { by, id } = payload as Person;
  if ((by !== 'user' && by !== 'token' && by !== 'session') || typeof id !== 'string')
    throw new TypeError('Invalid person');
  return { by, id };
}

function isStanding(value: unknown): value is Standing {
  return STANDINGS.has(value);
}

function forbidden(message: string): GatehouseError {
  return new GatehouseError('FORBIDDEN', { message });
}

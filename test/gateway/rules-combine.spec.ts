import { Injectable, Module, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { SubscribeMessage } from '@nestjs/websockets';
import { GatehouseError, MessageCost, RealtimeGateway, ReplayProtected, Roles, sessionOf, SignedIn } from 'gatehouse';
import { startTestServer, StoppedClock, type TestServer } from 'gatehouse/testing';
import { describe, expect, it } from 'vitest';

/** Refuses the users of one kind, so that a client reads which guard has refused it. */
function guardAgainst(kind: string): new () => CanActivate {
  @Injectable()
  class Guard implements CanActivate {
    canActivate(context: ExecutionContext): boolean {
      if (sessionOf(context).userId.includes(kind)) throw new GatehouseError('FORBIDDEN', { message: kind });
      return true;
    }
  }
  return Guard;
}

@Roles('MEMBER')
@UseGuards(guardAgainst('unpaid'))
@MessageCost(3)
@ReplayProtected()
@RealtimeGateway()
class ClubGateway {
  @SubscribeMessage('club.enter')
  enter(): string {
    return 'in';
  }

  @Roles('ADMIN')
  @UseGuards(guardAgainst('absent'))
  @MessageCost(1)
  @SubscribeMessage('club.close')
  close(): string {
    return 'closed';
  }
}

@SignedIn()
@RealtimeGateway()
class LibraryGateway {
  @SubscribeMessage('library.read')
  read(): string {
    return 'read';
  }

  @Roles('EDITOR')
  @SubscribeMessage('library.write')
  write(): string {
    return 'written';
  }
}

@Module({ providers: [ClubGateway, LibraryGateway] })
class RulesModule {}

const started = (): Promise<TestServer> =>
  startTestServer({
    features: [RulesModule],
    settings: { AUTH_MODE: 'optional', MESSAGE_RATE: 4, MESSAGE_BURST: 4 },
  });

let lastId = 0;
/** A protected class takes no id twice. */
const nextId = (): number => (lastId += 1);

/** What a client with these roles is answered: data, or the code and sentence of an error. */
async function answer(server: TestServer, type: string, claims: { sub: string; roles: string[] } | false) {
  await using client = await server.connect(claims);
  client.send({ type, id: nextId(), ts: Date.now() } as Parameters<typeof client.send>[0]);
  const reply = (await client.next()) as unknown as Record<string, unknown>;
  return reply.type === 'error' ? `${String(reply.code)}: ${String(reply.message)}` : reply.data;
}

const member = (sub = 'ada'): { sub: string; roles: string[] } => ({ sub, roles: ['MEMBER'] });
const admin = (sub = 'ada'): { sub: string; roles: string[] } => ({ sub, roles: ['ADMIN'] });

describe('rules of a class and of its handlers', () => {
  it('let the class decide where a handler says nothing', async () => {
    await using server = await started();
    expect(await answer(server, 'club.enter', member())).toBe('in');
    expect(await answer(server, 'club.enter', admin())).toContain('FORBIDDEN');
    expect(await answer(server, 'club.enter', member('unpaid'))).toBe('FORBIDDEN: unpaid');
    expect(await answer(server, 'library.read', member())).toBe('read');
    expect(await answer(server, 'library.read', false)).toContain('UNAUTHENTICATED');
  });

  it('let the roles of a handler replace those of its class', async () => {
    await using server = await started();
    expect(await answer(server, 'club.close', admin())).toBe('closed');
    expect(await answer(server, 'club.close', member())).toContain('FORBIDDEN');
  });

  it('demand that all guards pass, those of the class first', async () => {
    await using server = await started();
    expect(await answer(server, 'club.close', admin('absent'))).toBe('FORBIDDEN: absent');
    expect(await answer(server, 'club.close', admin('unpaid and absent'))).toBe('FORBIDDEN: unpaid');
    expect(await answer(server, 'library.write', false)).toContain('UNAUTHENTICATED');
    expect(await answer(server, 'library.write', member())).toContain('FORBIDDEN');
    expect(await answer(server, 'library.write', { sub: 'ed', roles: ['EDITOR'] })).toBe('written');
  });

  it('take the cost of a handler, or else that of its class', async () => {
    await using server = await started();
    using _ = new StoppedClock();
    const request = async (roles: string[], type: string, times: number): Promise<unknown[]> => {
      await using client = await server.connect({ sub: 'ada', roles });
      const replies: unknown[] = [];
      while (replies.length < times) {
        client.send({ type, id: nextId(), ts: Date.now() } as Parameters<typeof client.send>[0]);
        replies.push(((await client.next()) as unknown as { code?: string }).code ?? 'done');
      }
      return replies;
    };
    expect(await request(['MEMBER'], 'club.enter', 2)).toEqual(['done', 'RATE_LIMIT_EXCEEDED']);
    expect(await request(['ADMIN'], 'club.close', 5)).toEqual([
      ...Array<string>(4).fill('done'),
      'RATE_LIMIT_EXCEEDED',
    ]);
  });

  it('protect every handler of a protected class against repetition', async () => {
    await using server = await started();
    await using client = await server.connect(member());
    await expect(client.request('club.enter')).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});

import {
  CanActivate,
  Injectable,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type NestInterceptor,
} from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { Observable } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Roles } from '../../src/access/guards/roles.js';
import { SignedIn } from '../../src/access/guards/signed-in.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { feature } from '../support/feature.js';
import { connect, type TestClient } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

@Injectable()
class PassingGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class PassingInterceptor implements NestInterceptor {
  intercept(_context: unknown, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

const calls: string[] = [];
const call = (name: string): string => `${name} ${calls.push(name)}`;

@RealtimeGateway()
class MethodGateway {
  @SubscribeMessage('open')
  open(): string {
    return call('open');
  }

  @Roles('ADMIN')
  @SubscribeMessage('admin')
  admin(): string {
    return call('admin');
  }

  @Roles('MEMBER', 'EDITOR')
  @SubscribeMessage('several')
  several(): string {
    return call('several');
  }

  @SignedIn()
  @SubscribeMessage('signed.in')
  signedIn(): string {
    return call('signed.in');
  }

  @Roles('ADMIN')
  @UseGuards(PassingGuard)
  @SubscribeMessage('admin.guarded')
  guarded(): string {
    return call('admin.guarded');
  }

  @UseInterceptors(PassingInterceptor)
  @Roles('ADMIN')
  @SubscribeMessage('admin.intercepted')
  intercepted(): string {
    return call('admin.intercepted');
  }

  @SignedIn()
  @UseInterceptors(PassingInterceptor)
  @SubscribeMessage('signed.in.intercepted')
  signedInIntercepted(): string {
    return call('signed.in.intercepted');
  }
}

@Roles('MEMBER')
@WebSocketGateway()
class ClassGateway {
  @SubscribeMessage('class.member')
  member(): string {
    return call('class.member');
  }

  @Roles('ADMIN')
  @SubscribeMessage('class.admin')
  admin(): string {
    return call('class.admin');
  }
}

@Roles('MEMBER')
@UseInterceptors(PassingInterceptor)
@WebSocketGateway()
class InterceptedClassGateway {
  @SubscribeMessage('intercepted.class.member')
  member(): string {
    return call('intercepted.class.member');
  }

  @Roles('ADMIN')
  @SubscribeMessage('intercepted.class.admin')
  admin(): string {
    return call('intercepted.class.admin');
  }
}

const ADMIN_ONLY = 'Administrator privileges required';
const FORBIDDEN = 'Insufficient privileges';

/** Message type → who may send it, and what the others are told. */
const RULES: [type: string, roles: string[], sentence: string][] = [
  ['admin', ['ADMIN'], ADMIN_ONLY],
  ['admin.guarded', ['ADMIN'], ADMIN_ONLY],
  ['admin.intercepted', ['ADMIN'], ADMIN_ONLY],
  ['several', ['MEMBER', 'EDITOR'], FORBIDDEN],
  ['class.member', ['MEMBER'], FORBIDDEN],
  ['class.admin', ['ADMIN'], ADMIN_ONLY],
  ['intercepted.class.member', ['MEMBER'], FORBIDDEN],
  ['intercepted.class.admin', ['ADMIN'], ADMIN_ONLY],
];

describe('@Roles', () => {
  let server: TestServer;
  beforeAll(async () => {
    const features = [feature([MethodGateway, ClassGateway, InterceptedClassGateway])];
    server = await startTestServer({ AUTH_MODE: 'optional' }, features);
  });
  afterAll(() => server.close());

  const withRoles = (roles: string[]): Promise<TestClient> => connect(server.url, { claims: { roles } });

  it.each(RULES)('%s: lets pass exactly %j', async (type, allowed, sentence) => {
    for (const role of ['ADMIN', 'MEMBER', 'EDITOR', 'admin', 'ADMINS', '']) {
      await using client = await withRoles(role === '' ? [] : ['OTHER', role]);
      const before = calls.length;
      const reply = await client.request(type, undefined, 'r');
      if (allowed.includes(role)) expect(reply).toMatchObject({ type: `${type}_reply`, id: 'r' });
      else expect(reply).toEqual({ v: 1, type: 'error', id: 'r', code: 'FORBIDDEN', message: sentence });
      expect(calls.length - before).toBe(allowed.includes(role) ? 1 : 0);
    }
  });

  it.each([...RULES.map(([type]) => type), 'signed.in', 'signed.in.intercepted'])(
    '%s: an anonymous client is told to sign in',
    async (type) => {
      await using client = await connect(server.url, { claims: false });
      expect(await client.request(type, undefined, 'r')).toEqual({
        v: 1,
        type: 'error',
        id: 'r',
        code: 'UNAUTHENTICATED',
        message: 'Authentication required',
      });
      expect(await client.request('open')).toMatchObject({ type: 'open_reply' });
    },
  );

  it.each(['signed.in', 'signed.in.intercepted'])('%s: anybody signed in passes', async (type) => {
    await using client = await withRoles([]);
    expect(await client.request(type)).toMatchObject({ type: `${type}_reply` });
  });

  it('counts from the next message on after auth_refresh, up and down', async () => {
    await using client = await withRoles(['MEMBER']);
    expect(await client.request('admin')).toMatchObject({ code: 'FORBIDDEN' });
    await client.request('auth_refresh', { token: mintToken({ roles: ['ADMIN'] }) });
    expect(await client.request('admin')).toMatchObject({ type: 'admin_reply' });
    expect(await client.request('class.member')).toMatchObject({ code: 'FORBIDDEN' });
    await client.request('auth_refresh', { token: mintToken({ roles: [] }) });
    expect(await client.request('admin.intercepted')).toMatchObject({ code: 'FORBIDDEN', message: ADMIN_ONLY });
  });

  it('is not validated before it is decided', async () => {
    await using client = await connect(server.url, { claims: false });
    expect(await client.request('send_message', 'no object')).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('BROADCAST_ROLES', () => {
  async function outcome(
    environment: Record<string, string>,
    claims: Record<string, unknown> | false,
  ): Promise<unknown> {
    await using server = await startTestServer({ AUTH_MODE: 'optional', ...environment });
    await using client = await connect(server.url, { claims });
    const { type, code, message } = await client.request('broadcast', 'hi');
    return code === undefined ? type : `${code as string}: ${message as string}`;
  }

  it('empty: everyone signed in may broadcast', async () => {
    expect(await outcome({}, { roles: [] })).toBe('broadcast');
    expect(await outcome({}, false)).toBe('UNAUTHENTICATED: Authentication required');
    expect(await outcome({ AUTH_MODE: 'off' }, false)).toBe('broadcast');
  });

  it('ADMIN: nobody else may', async () => {
    const environment = { BROADCAST_ROLES: 'ADMIN' };
    expect(await outcome(environment, { roles: ['ADMIN'] })).toBe('broadcast');
    expect(await outcome(environment, { roles: ['MEMBER'] })).toBe(`FORBIDDEN: ${ADMIN_ONLY}`);
    expect(await outcome(environment, false)).toBe('UNAUTHENTICATED: Authentication required');
  });

  it('several: any of them may', async () => {
    const environment = { BROADCAST_ROLES: 'ADMIN,SERVICE' };
    expect(await outcome(environment, { roles: ['SERVICE'] })).toBe('broadcast');
    expect(await outcome(environment, { roles: ['MEMBER'] })).toBe(`FORBIDDEN: ${FORBIDDEN}`);
  });
});

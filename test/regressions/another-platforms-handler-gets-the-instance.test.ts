import { describe, expect, test } from 'vitest';
import { ConnectionRegistry, factoryByPlatform, type InstanceFactory } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { deferred } from '../support/deferred.js';
import { Harness, Rows, type Row } from '../support/harness.js';
import { seen } from '../support/webhooks.js';

interface Bot { readonly platform: string; readonly token: string }
type PlatformRow = Row & { platform: 'slack' | 'telegram' };

/** A gateway of two platforms. Its Slack deliveries wait in `authenticate` until the test lets them go on. */
class Gateway {
  readonly rows = new Rows();
  readonly clock = new ManualClock();
  readonly calls: string[] = [];
  readonly verdict = deferred<boolean>();
  readonly registry: ConnectionRegistry<PlatformRow, Bot>;

  constructor(options: { keepLastGood?: boolean } = {}) {
    const factory = (
      platform: string,
      authenticate: NonNullable<InstanceFactory<Row, Bot>['authenticate']>,
    ): InstanceFactory<Row, Bot> => ({
      create: ({ token }) => {
        this.calls.push(`${platform} create ${token}`);
        if (token === 'broken') throw new Error('of the vendor');
        return { platform, token };
      },
      authenticate,
      handleWebhook: (bot) => new Response(`${platform} handler, ${bot.platform} bot, ${bot.token}`),
    });
    this.registry = new ConnectionRegistry<PlatformRow, Bot>({
      clock: this.clock, ...options, store: this.rows as never,
      factory: factoryByPlatform('platform', {
        slack: factory('slack', async (_request, { record }) => {
          this.calls.push(`slack authenticate ${record.token}`);
          const verdict = await this.verdict.promise;
          return verdict && record.token !== 'rotated';
        }),
        telegram: factory('telegram', 'in-handler'),
      }) as never,
    });
    this.registry.on('hydrationFailed', () => {});
  }

  put(platform: string, token: string): void {
    this.rows.put('a', { platform, token } as Partial<Row>);
  }

  deliver(): Promise<Response> {
    return this.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST', body: 'hi' }));
  }

  /** A delivery that is being authenticated while `change` happens. */
  async during(change: () => void | Promise<void>): Promise<Awaited<ReturnType<typeof seen>>> {
    const delivery = this.deliver();
    await this.clock.advance(0);
    await change();
    await this.clock.advance(0);
    this.verdict.resolve(true);
    return seen(await delivery);
  }
}

describe('the row changes while a delivery is authenticated', () => {
  test.each(['used by another caller meanwhile', 'used by nobody else'])(
    'its platform: answered 401, and no handler is called, %s',
    async (how) => {
      const gateway = new Gateway();
      gateway.put('slack', 't1');
      const answer = await gateway.during(async () => {
        gateway.put('telegram', 't2');
        if (how.startsWith('used by another')) await gateway.registry.use('a', () => {});
        else gateway.registry.invalidate('a');
      });
      expect(answer).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
      const created = how.startsWith('used by another') ? ['telegram create t2'] : [];
      expect(gateway.calls).toEqual(['slack authenticate t1', ...created]);
    },
  );

  test('its configuration: the request is authenticated again, and the new version serves it', async () => {
    const gateway = new Gateway();
    gateway.put('slack', 't1');
    const answer = await gateway.during(async () => {
      gateway.put('slack', 't2');
      await gateway.registry.use('a', () => {});
    });
    expect(answer).toEqual({ status: 200, body: 'slack handler, slack bot, t2' });
    expect(gateway.calls).toEqual(['slack authenticate t1', 'slack create t2', 'slack authenticate t2']);
  });

  test('its secret: a request signed with the old secret does not reach the new version', async () => {
    const gateway = new Gateway();
    gateway.put('slack', 't1');
    const answer = await gateway.during(async () => {
      gateway.put('slack', 'rotated');
      await gateway.registry.use('a', () => {});
    });
    expect(answer).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
  });

  test('its secret, by invalidate: a request signed with the old secret is authenticated again, and refused', async () => {
    const secrets = ['old', 'new'];
    const [first, second] = [deferred<boolean>(), deferred<boolean>()];
    const signedWith: string[] = [];
    const h = new Harness({
      factory: {
        secrets: () => secrets[Math.min(signedWith.length, 1)],
        authenticate: (_request, { secrets: secret }) => {
          signedWith.push(secret as string);
          return secret === 'old' ? first.promise : second.promise;
        },
        handleWebhook: () => new Response('served'),
      },
    });
    h.rows.put('a');
    const delivery = h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST', body: 'hi' }));
    await h.settle();
    // The row stays as it is: the vault has another secret for it.
    h.registry.invalidate('a');
    first.resolve(true);
    second.resolve(false);
    expect(await seen(await delivery)).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
    expect(signedWith).toEqual(['old', 'new']);
  });

  test('it is created anew for another tenant: the request does not reach that tenant', async () => {
    const gateway = new Gateway();
    gateway.put('slack', 't1');
    const answer = await gateway.during(async () => {
      gateway.rows.delete('a');
      await expect(gateway.registry.use('a', () => {})).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
      gateway.put('slack', 'rotated');
      await gateway.clock.advance(5_000);
      await gateway.registry.use('a', () => {});
    });
    expect(answer).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
  });

  test.each(['stop', 'delete'] as const)('a %s that the registry has seen: 404, and no handler is called', async (change) => {
    const gateway = new Gateway();
    gateway.put('slack', 't1');
    const answer = await gateway.during(async () => {
      gateway.rows[change]('a');
      await expect(gateway.registry.use('a', () => {})).rejects.toThrow();
    });
    expect(answer).toEqual({ status: 404, code: change === 'stop' ? 'CONNECTION_STOPPED' : 'CONNECTION_NOT_FOUND' });
    expect(gateway.calls).toEqual(['slack authenticate t1']);
  });

  test('no change that the registry saw: the row that authenticated the request serves it', async () => {
    const gateway = new Gateway();
    gateway.put('slack', 't1');
    expect(await gateway.during(() => gateway.put('slack', 't2'))).toEqual({ status: 200, body: 'slack handler, slack bot, t1' });
  });

  test('with keepLastGood, a last good instance of the same platform serves while the new version fails to start', async () => {
    const gateway = new Gateway({ keepLastGood: true });
    gateway.put('slack', 't1');
    await gateway.registry.use('a', () => {});
    gateway.put('slack', 'broken');
    const answer = await gateway.during(async () => {
      expect(await gateway.registry.use('a', ({ token }) => token)).toBe('t1');
    });
    expect(answer).toEqual({ status: 200, body: 'slack handler, slack bot, t1' });
  });

  test('with keepLastGood, a last good instance of the old platform does not serve requests of the new one', async () => {
    const gateway = new Gateway({ keepLastGood: true });
    gateway.put('telegram', 't1');
    await gateway.registry.use('a', () => {});
    gateway.put('slack', 't2');
    const answer = await gateway.during(() => {
      gateway.registry.invalidate('a');
      gateway.put('telegram', 't3');
    });
    expect(answer).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
  });
});

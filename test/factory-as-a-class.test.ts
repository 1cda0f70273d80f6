import { describe, expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore, factoryByPlatform } from 'hydrant';
import { ManualClock } from 'hydrant/testing';

const post = (body = 'x'): Request => new Request('http://gateway.test/', { method: 'POST', body });

describe('a factory may be an instance of a class', () => {
  class Base {
    readonly disposed: string[] = [];
    protected readonly prefix = 'made by';
    create(row: { id: string }): string {
      return `${this.prefix} ${row.id} ${this.suffix()}`;
    }
    dispose(instance: string): void {
      this.disposed.push(`${this.prefix} ${instance}`);
    }
    secrets(): string {
      return `${this.prefix} secrets`;
    }
    authenticate(_request: Request, { secrets }: { secrets: string }): boolean {
      return secrets === `${this.prefix} secrets`;
    }
    handleWebhook(instance: string): Response {
      return new Response(`${this.prefix} ${instance}`);
    }
    respondToFailure(): Response {
      return new Response(this.prefix, { status: 418 });
    }
    get acknowledge(): { afterMs: number; respond(): Response } {
      return { afterMs: 10, respond: () => new Response(`${this.prefix} acknowledge`) };
    }
    protected suffix(): string {
      return 'Base';
    }
  }
  class Derived extends Base { protected override suffix(): string { return 'Derived'; } }

  test.each([
    { where: 'alone', wrap: (factory: Derived) => factory as never },
    {
      where: 'in factoryByPlatform',
      wrap: (factory: Derived) => factoryByPlatform('platform', { x: factory } as never) as never,
    },
  ])('its members are on the prototype and use this, $where', async ({ wrap }) => {
    const factory = new Derived();
    const clock = new ManualClock();
    const registry = new ConnectionRegistry<any, string>({
      store: new MemoryStore<any>([{ id: 'a', platform: 'x' }]),
      factory: wrap(factory),
      clock,
    });
    registry.on('webhookFailed', () => {});
    expect(await registry.use('a', (instance) => instance)).toBe('made by a Derived');
    const response = await registry.handleWebhook('a', post());
    expect(await response.text()).toBe('made by made by a Derived');
    await registry.close();
    expect(factory.disposed).toEqual(['made by made by a Derived']);
  });

  test('the same holds for acknowledge and respondToFailure', async () => {
    class Slow extends Base {
      override handleWebhook(): Response { throw new Error('no'); }
    }
    const clock = new ManualClock();
    const registry = new ConnectionRegistry<any, string>({
      store: new MemoryStore([{ id: 'a' }]),
      factory: new Slow() as never,
      clock,
    });
    registry.on('webhookFailed', () => {});
    expect((await registry.handleWebhook('a', post())).status).toBe(418);
    class Hanging extends Base {
      override handleWebhook(): Promise<Response> & Response {
        return new Promise(() => {}) as never;
      }
    }
    const other = new ConnectionRegistry<any, string>({
      store: new MemoryStore([{ id: 'a' }]),
      factory: new Hanging() as never,
      clock,
    });
    const response = other.handleWebhook('a', post());
    await clock.advance(10);
    expect(await (await response).text()).toBe('made by acknowledge');
  });
});

import { createMemoryState } from '@chat-adapter/state-memory';
import { ConnectionRegistry, MemoryStore, type ConnectionRecord } from 'hydrant';
import { chatFactory, type ChatAdapter, type ChatFactoryOptions } from 'hydrant/chat';

/** Stands for the signature that a real adapter checks. */
export const SIGNED = { signature: 'right' };

/** An adapter of a vendor that is not installed here. Like the real ones, it verifies before it is initialized. */
export function fakeAdapter(name: string, seen: string[] = [], own: object = {}): ChatAdapter {
  let state = 'verifies';
  return {
    name,
    initialize: async () => { state = 'handles'; },
    handleWebhook: async (request) => {
      if (request.headers.get('signature') !== SIGNED.signature) return new Response(null, { status: 401 });
      seen.push(`${name} ${state}`);
      return new Response(`answer of ${name}`);
    },
    ...own,
  };
}

export type FakeOptions = Partial<ChatFactoryOptions<ConnectionRecord, any, undefined>>;

/** A factory of bots with these adapters. */
export function fakeFactory(adapters: () => readonly ChatAdapter[], options: FakeOptions = {}) {
  return chatFactory({
    state: createMemoryState(),
    adapters: () => Object.fromEntries(adapters().map((adapter) => [adapter.name, adapter])),
    config: () => ({ logger: 'silent' }),
    ...options,
  });
}

/** A registry with one bot, `c`, that has these adapters. Each call of `adapters` makes new ones. */
export function fakeBot(adapters: () => readonly ChatAdapter[], options: FakeOptions = {}) {
  return new ConnectionRegistry({ store: new MemoryStore([{ id: 'c' }]), factory: fakeFactory(adapters, options) });
}

export interface Content {
  readonly headers?: Record<string, string>;
  /** Sent as JSON. A string is sent as it is. */
  readonly body?: unknown;
  /** Makes it a GET. */
  readonly query?: string;
}

export function signed({ headers = {}, body = {}, query }: Content): Request {
  const all = { ...SIGNED, ...headers };
  if (query !== undefined) return new Request(`https://gateway/hook?${query}`, { headers: all });
  return new Request('https://gateway/hook', {
    method: 'POST', headers: all, body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

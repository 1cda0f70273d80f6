import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import {
  ConnectionRegistry,
  factoryByPlatform,
  isConnectionError,
  type ConnectionErrorCode,
  type InstanceFactory,
} from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { deferred } from './support/deferred.js';
import { EVENTS } from './support/harness.js';

/** Stands in every row, secret and request body; must not stand in anything the registry says. */
const MARKER = 'xoxb-MARKER-7f3a';

type AnyRow = Record<string, unknown> & { id: string };
const row = (id: string, fields: object = {}): AnyRow => ({
  id,
  version: 'v1',
  status: 'active',
  platform: 'slack',
  token: MARKER,
  config: { nested: [{ deep: MARKER }], [MARKER]: MARKER },
  ...fields,
});
const post = (body = MARKER): Request =>
  new Request(`http://gateway.test/?token=${MARKER}`, {
    method: 'POST',
    body,
    headers: { authorization: MARKER, 'content-type': MARKER },
  });

/** Everything the registry said, to callers, senders, listeners and the console. */
let said: string[];
let codes: Set<ConnectionErrorCode>;

beforeEach(() => {
  said = [];
  codes = new Set();
  for (const method of ['error', 'warn', 'log', 'info', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation(
      (...args) => void said.push(args.map((arg) => inspect(arg, { depth: 10, showHidden: true })).join(' ')),
    );
  }
});
afterEach(() => { vi.restoreAllMocks(); });

function hear(error: unknown): void {
  if (isConnectionError(error)) codes.add(error.code);
  said.push(inspect(error, { depth: 10, showHidden: true }), JSON.stringify(error), String(error));
}

async function hearResponse(response: Response): Promise<void> {
  said.push(String(response.status), response.statusText, JSON.stringify([...response.headers]), await response.text());
}

interface Scene { rows?: Record<string, unknown>; factory?: object; tuning?: object; listen?: boolean }

function gateway({ rows = { a: row('a') }, factory = {}, tuning = {}, listen = true }: Scene) {
  const clock = new ManualClock();
  const registry = new ConnectionRegistry<any, any>({
    clock,
    store: { get: async (id: string) => rows[id] } as never,
    factory: {
      create: (record: AnyRow) => ({ token: record['token'] }),
      secrets: () => ({ password: MARKER }),
      authenticate: () => true,
      handleWebhook: () => new Response('ok'),
      ...factory,
    } as InstanceFactory<any, any>,
    ...tuning,
  });
  if (listen) {
    for (const event of EVENTS) {
      registry.on(event, (payload) => {
        said.push(event, JSON.stringify(payload), inspect(payload, { depth: 10 }));
      });
    }
  }
  const use = async (id = 'a', options?: object): Promise<void> => {
    await registry.use(id, () => {}, options).catch(hear);
  };
  const webhook = async (id = 'a', request = post()): Promise<void> => {
    await hearResponse(await registry.handleWebhook(id, request));
  };
  const end = async (): Promise<void> => {
    said.push(JSON.stringify(registry.snapshot()), inspect(registry.snapshot(), { depth: 10 }));
    await registry.close();
  };
  return { registry, clock, rows, use, webhook, end };
}

const bland = (): never => { throw new Error('vendor down'); };
const never = (): Promise<never> => new Promise(() => {});

/** Failures, and the codes with which they are reported. */
const SCENES: { what: string; expected: ConnectionErrorCode[]; scene: (listen: boolean) => Promise<void> }[] = [
  {
    what: 'all is well',
    expected: [],
    scene: async (listen) => {
      const { registry, use, webhook, end } = gateway({ listen });
      await use();
      await webhook();
      registry.invalidate('a');
      await use();
      await end();
    },
  },
  {
    what: 'unknown, stopped, malformed ids',
    expected: ['CONNECTION_NOT_FOUND', 'CONNECTION_STOPPED', 'INVALID_CONNECTION_ID'],
    scene: async (listen) => {
      const { use, webhook, end } = gateway({ listen, rows: { stopped: row('stopped', { status: 'stopped' }) } });
      for (const id of ['unknown', 'stopped', '']) {
        await use(id);
        await webhook(id);
      }
      await end();
    },
  },
  {
    what: 'rows that are no records',
    expected: ['INVALID_RECORD'],
    scene: async (listen) => {
      const rows = {
        string: MARKER,
        other: row(MARKER),
        version: row('version', { version: null }),
        status: row('status', { status: MARKER }),
        versionObject: row('versionObject', { version: { secret: MARKER } }),
        lazy: {
          get id() {
            throw new Error(MARKER);
          },
        },
      };
      const { use, webhook, end } = gateway({ listen, rows });
      for (const id of Object.keys(rows)) {
        await use(id);
        await webhook(id);
      }
      await end();
    },
  },
  {
    what: 'rows that recordSchema refuses',
    expected: ['INVALID_RECORD'],
    scene: async (listen) => {
      const zod = z.object({
        id: z.string(),
        version: z.string(),
        status: z.literal('active'),
        token: z.enum(['x', 'y']),
        config: z.strictObject({}),
      });
      const quoting = {
        '~standard': {
          version: 1,
          vendor: 'x',
          validate: (value: unknown) => ({ issues: [{ message: JSON.stringify(value), path: ['token'], input: value }] }),
        },
      };
      const throwing = {
        '~standard': {
          version: 1,
          vendor: 'x',
          validate: (value: unknown) => {
            throw new Error(JSON.stringify(value));
          },
        },
      };
      const rejecting = {
        '~standard': {
          version: 1,
          vendor: 'x',
          validate: async (value: unknown) => {
            throw new Error(JSON.stringify(value));
          },
        },
      };
      for (const recordSchema of [zod, quoting, throwing, rejecting]) {
        const { use, webhook, end } = gateway({ listen, tuning: { recordSchema } });
        await use();
        await webhook();
        await end();
      }
    },
  },
  {
    what: 'a platform without a factory',
    expected: ['INVALID_RECORD'],
    scene: async (listen) => {
      const factory = factoryByPlatform('token', {
        other: { create: () => ({}), authenticate: () => true, handleWebhook: () => new Response() },
      } as never);
      const { use, webhook, end } = gateway({ listen, tuning: { factory } });
      await use();
      await webhook();
      await end();
    },
  },
  {
    what: 'a create that fails, and the back-off after it',
    expected: ['HYDRATION_FAILED', 'BACKING_OFF'],
    scene: async (listen) => {
      const { use, webhook, end } = gateway({ listen, factory: { create: bland } });
      for (let attempt = 0; attempt < 3; attempt += 1) {
        await use();
        await webhook();
      }
      await end();
    },
  },
  {
    what: 'a create that hangs, a dispose that hangs, a lease that is not released',
    expected: ['HYDRATION_TIMEOUT', 'ACQUIRE_TIMEOUT'],
    scene: async (listen) => {
      const { use, clock, end } = gateway({ listen, factory: { create: never }, tuning: { hydrationTimeoutMs: 1_000 } });
      const [timedOut, impatient] = [use(), use('a', { timeoutMs: 10 })];
      await clock.advance(1_000);
      await Promise.all([timedOut, impatient]);
      const closing = end();
      await clock.advance(20_000);
      await closing;
      const other = gateway({ listen, factory: { dispose: never }, tuning: { drainTimeoutMs: 10 } });
      const lease = await other.registry.acquire('a');
      const { signal } = lease;
      other.registry.invalidate('a');
      await other.clock.advance(20_000);
      hear(signal.reason);
      await other.end();
    },
  },
  {
    what: 'a full queue',
    expected: ['OVERLOADED'],
    scene: async (listen) => {
      const gate = deferred();
      const rows = Object.fromEntries(['a', 'b', 'c'].map((id) => [id, row(id)]));
      const { use, webhook, end } = gateway({
        listen,
        rows,
        factory: { create: () => gate.promise },
        tuning: { maxConcurrentHydrations: 1, maxQueuedHydrations: 0 },
      });
      const first = use('a');
      await use('b');
      await webhook('c');
      gate.resolve();
      await first;
      await end();
    },
  },
  {
    what: 'a store that fails, then hangs',
    expected: ['STORE_UNAVAILABLE'],
    scene: async (listen) => {
      let get: () => unknown = bland;
      const { use, webhook, clock, end } = gateway({ listen, tuning: { store: { get: () => get() } } });
      await use();
      await webhook();
      get = never;
      const hanging = use();
      await clock.advance(5_000);
      await hanging;
      await end();
    },
  },
  {
    what: 'secrets that cannot be had, an instance that dies',
    expected: ['HYDRATION_FAILED'],
    scene: async (listen) => {
      const { use, webhook, end } = gateway({ listen, factory: { secrets: bland } });
      await use();
      await webhook();
      await end();
      const dying = gateway({
        listen,
        factory: {
          create: (_row: unknown, { retire }: { retire(): void }) => {
            retire();
            return {};
          },
        },
      });
      await dying.use();
      await dying.end();
    },
  },
  {
    what: 'webhooks that are refused or fail',
    expected: [],
    scene: async (listen) => {
      const FACTORIES = [
        { authenticate: () => false },
        { authenticate: bland },
        { handleWebhook: bland },
        { handleWebhook: () => 'no response' },
        { handleWebhook: undefined },
        { respondToFailure: bland, authenticate: () => false },
        {
          handleWebhook: (_instance: unknown, _request: Request, { waitUntil }: { waitUntil(work: Promise<unknown>): void }) => {
            waitUntil(Promise.reject(new Error('later')));
            return new Response();
          },
        },
      ];
      for (const factory of FACTORIES) {
        const { webhook, end } = gateway({ listen, factory });
        await webhook();
        await end();
      }
      const small = gateway({ listen, tuning: { webhook: { maxBodyBytes: 3 } } });
      await small.webhook();
      const parsed = post();
      await parsed.text();
      await small.webhook('a', parsed);
      await small.end();
    },
  },
  {
    what: 'a registry that is closed',
    expected: ['REGISTRY_CLOSED'],
    scene: async (listen) => {
      const { use, webhook, end } = gateway({ listen });
      await use();
      await end();
      await use();
      await webhook();
    },
  },
];

describe.each([
  { where: 'with listeners', listen: true },
  { where: 'to the console', listen: false },
])('the contents of a row are never told, $where', ({ listen }) => {
  test.each(SCENES)('$what', async ({ expected, scene }) => {
    await scene(listen);
    for (const code of expected) expect(codes).toContain(code);
    expect(said.length).toBeGreaterThan(0);
    expect(said.filter((text) => text.includes(MARKER))).toEqual([]);
  });
});

test('an exception of the application is passed on as the cause to listeners and callers, never to a sender', async () => {
  const { use, end } = gateway({ factory: { create: () => { throw new Error(`token ${MARKER} was refused`); } } });
  await use();
  expect(said.some((text) => text.includes(MARKER))).toBe(true);
  await end();
  said.length = 0;
  const unheard = gateway({
    listen: false,
    factory: {
      handleWebhook: () => {
        throw new Error(`token ${MARKER} was refused`);
      },
    },
  });
  vi.mocked(console.error).mockImplementation(() => {});
  await unheard.webhook();
  expect(said.filter((text) => text.includes(MARKER))).toEqual([]);
  expect(said.join(' ')).toContain('HANDLER_FAILED');
});

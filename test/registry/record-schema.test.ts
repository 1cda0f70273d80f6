import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConnectionRegistry, isConnectionError, type ConnectionError, type StandardSchemaV1 } from 'hydrant';
import { ManualClock, settle } from 'hydrant/testing';

interface Bot {
  readonly id: string;
  readonly version: string;
  readonly status: 'active' | 'stopped';
  readonly config: { readonly token: string; readonly retries: number };
}

/** A row as a database returns it: untyped, with any config. */
type Untyped = Record<string, unknown> & { id: string };

const good: Untyped = { id: 'a', version: 'v1', status: 'active', config: { token: 'tok', retries: '3' } };
const zodSchema = z.object({
  id: z.string(),
  version: z.string(),
  status: z.enum(['active', 'stopped']),
  config: z.object({ token: z.string().min(3), retries: z.coerce.number() }),
});

/** A Standard Schema made by hand, as any library's is to the registry. */
const schema = (validate: (value: unknown) => unknown): StandardSchemaV1<unknown, Bot> => ({
  '~standard': { version: 1, vendor: 'test', validate },
});

function over(row: () => unknown, recordSchema: StandardSchemaV1<any, Bot>, tuning: object = {}) {
  const clock = new ManualClock();
  const created: Bot[] = [];
  const registry = new ConnectionRegistry({
    store: { get: async (id: string) => id === 'a' ? row() : { ...good, id } } as never, recordSchema, clock, ...tuning,
    factory: { create: (record) => { created.push(record); return record; } },
  });
  return { registry, clock, created };
}

async function refusal(work: Promise<unknown>): Promise<ConnectionError> {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown);
  if (!isConnectionError(error)) throw new Error(`expected a ConnectionError, got ${String(error)}`);
  // A schema's own error may quote the row.
  expect(error.cause).toBeUndefined();
  return error;
}

describe('a row passes through recordSchema before it becomes an instance', () => {
  test('zod: the factory gets the parsed record, with defaults and coercions', async () => {
    const { registry, created } = over(() => good, zodSchema);
    expect(await registry.use('a', (bot) => bot.config.retries)).toBe(3);
    expect(created).toEqual([{ ...good, config: { token: 'tok', retries: 3 } }]);
    await registry.use('a', () => {});
    expect(created).toHaveLength(1);
  });

  test('zod: a row that does not match is INVALID_RECORD, which names the places and not the values', async () => {
    const { registry, created } = over(() => ({ ...good, config: { token: 5, retries: 'many' } }), zodSchema);
    expect(await refusal(registry.use('a', () => 1))).toMatchObject({
      code: 'INVALID_RECORD',
      connectionId: 'a',
      message: "The row of connection 'a' does not match recordSchema at config.token, config.retries",
    });
    expect(created).toEqual([]);
    expect(await registry.use('b', (bot) => bot.id)).toBe('b');
  });

  test('zod: an asynchronous refinement', async () => {
    const asynchronous = zodSchema.refine(
      async ({ config }) => {
        await settle();
        return config.token !== 'revoked';
      },
      { path: ['config', 'token'] },
    );
    const fine = over(() => good, asynchronous);
    expect(await fine.registry.use('a', (bot) => bot.config.retries)).toBe(3);
    const bad = over(() => ({ ...good, config: { token: 'revoked', retries: 1 } }), asynchronous);
    expect((await refusal(bad.registry.use('a', () => 1))).message).toBe(
      "The row of connection 'a' does not match recordSchema at config.token",
    );
    expect(bad.created).toEqual([]);
  });

  test('valibot: the path of an issue is made of objects', async () => {
    const valibotLike = schema(() => ({
      issues: [
        {
          message: 'Invalid type',
          path: [
            { key: 'config', value: { token: 'secret' } },
            { key: 'token', value: 'secret' },
          ],
        },
      ],
    }));
    expect((await refusal(over(() => good, valibotLike).registry.use('a', () => 1))).message).toBe(
      "The row of connection 'a' does not match recordSchema at config.token",
    );
  });

  test('arktype: a schema is a function', async () => {
    const arkLike = Object.assign(() => {}, schema((value) => ({ value })));
    expect(await over(() => good, arkLike).registry.use('a', (bot) => bot.id)).toBe('a');
  });

  test('a schema may compute the version: the instance serves until that changes', async () => {
    let revision = 1;
    const row = () => ({ ...good, version: undefined, revision });
    const computed = z.object({ ...zodSchema.shape, version: z.undefined(), revision: z.number() })
      .transform((given) => ({ ...given, version: `r${given.revision}` }));
    const { registry, created } = over(row, computed as never);
    for (let n = 0; n < 3; n += 1) await registry.use('a', () => {});
    expect(created).toMatchObject([{ version: 'r1' }]);
    revision = 2;
    await registry.use('a', () => {});
    expect(created).toMatchObject([{ version: 'r1' }, { version: 'r2' }]);
  });

  test('an issue without a place', async () => {
    const { registry } = over(() => good, schema(() => ({ issues: [{ message: 'no' }] })));
    expect((await refusal(registry.use('a', () => 1))).message).toBe(
      "The row of connection 'a' does not match recordSchema at the row itself",
    );
  });

  test('hundreds of issues make a short message', async () => {
    const { registry } = over(
      () => good,
      schema(() => ({ issues: Array.from({ length: 500 }, (_, index) => ({ path: [`field${index}`, 'x'.repeat(5_000)] })) })),
    );
    expect((await refusal(registry.use('a', () => 1))).message.length).toBeLessThan(1_000);
  });

  test('a stopped row is stopped, whether or not it still matches', async () => {
    const { registry } = over(() => ({ id: 'a', version: 'v2', status: 'stopped' }), zodSchema);
    expect((await refusal(registry.use('a', () => 1))).code).toBe('CONNECTION_STOPPED');
  });
});

describe('a schema that misbehaves makes the row INVALID_RECORD, and the next use tries again', () => {
  const never = new Promise<never>(() => {});
  const MISBEHAVES: { what: string; validate: (value: unknown) => unknown; message: string }[] = [
    {
      what: 'throws',
      validate: () => {
        throw new Error('tok');
      },
      message: 'could not be parsed: recordSchema threw',
    },
    { what: 'rejects', validate: () => Promise.reject(new Error('tok')), message: 'could not be parsed: recordSchema threw' },
    { what: 'returns nothing', validate: () => undefined, message: 'could not be parsed: recordSchema threw' },
    { what: 'resolves nothing', validate: async () => null, message: 'could not be parsed: recordSchema threw' },
    {
      what: 'returns issues that are no list',
      validate: () => ({ issues: 5 }),
      message: 'could not be parsed: recordSchema threw',
    },
    {
      what: 'resolves issues that are no list',
      validate: async () => ({ issues: 5 }),
      message: 'could not be parsed: recordSchema threw',
    },
    {
      what: 'loses the version',
      validate: () => ({ value: { id: 'a', status: 'active' } }),
      message: 'has no version that is a string, number or bigint',
    },
    {
      what: 'changes the version',
      validate: () => ({ value: { ...good, version: 'other' } }),
      message: 'has another version after recordSchema: the schema must not change versions',
    },
    {
      what: 'changes the id',
      validate: () => ({ value: { ...good, id: 'b' } }),
      message: 'belongs to another connection: its id is not the requested one',
    },
    {
      what: 'drops the status',
      validate: async () => ({ value: { ...good, status: undefined } }),
      message: "has no status that is 'active' or 'stopped'",
    },
    {
      what: 'makes no object of it',
      validate: () => ({ value: 'x' }),
      message: 'is not a record: expected an object, got string',
    },
    {
      what: 'never settles',
      validate: () => never,
      message: 'could not be parsed: recordSchema has not settled within storeTimeoutMs (5000 ms)',
    },
  ];

  test.each(MISBEHAVES)('$what', async ({ validate, message }) => {
    let misbehaves = true;
    const { registry, clock, created } = over(() => good, schema((value) => misbehaves ? validate(value) : { value }));
    const refused = refusal(registry.use('a', () => 1));
    await clock.advance(5_000);
    expect(await refused).toMatchObject({ code: 'INVALID_RECORD', message: `The row of connection 'a' ${message}` });
    expect(created).toEqual([]);
    misbehaves = false;
    expect(await registry.use('a', (bot) => bot.id)).toBe('a');
    await registry.close();
    expect(clock.pendingTimers).toBe(0);
  });

  test('that settles too late has no effect', async () => {
    let settleLate!: (result: unknown) => void;
    let row = good;
    const { registry, clock, created } = over(
      () => row,
      schema((value) =>
        value === good
          ? new Promise((resolve) => {
              settleLate = resolve;
            })
          : { value },
      ),
    );
    const refused = refusal(registry.use('a', () => 1));
    await clock.advance(5_000);
    await refused;
    row = { ...good, version: 'v2' };
    await registry.use('a', () => {});
    settleLate({ value: good });
    await clock.advance(0);
    expect(created.map(({ version }) => version)).toEqual(['v2']);
    expect(registry.snapshot().connections.map(({ version }) => version)).toEqual(['v2']);
  });

  test('with storeTimeoutMs: Infinity it is awaited without a deadline', async () => {
    const { registry, clock } = over(() => good, schema(() => never), { storeTimeoutMs: Infinity });
    const refused = refusal(registry.use('a', () => 1, { timeoutMs: 60_000 }));
    await clock.advance(60_000);
    expect((await refused).code).toBe('ACQUIRE_TIMEOUT');
  });
});

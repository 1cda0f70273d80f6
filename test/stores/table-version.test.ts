import { createHash, createHmac } from 'node:crypto';
import vm from 'node:vm';
import fc from 'fast-check';
import { tableStore } from 'hydrant';
import { describe, expect, test } from 'vitest';
import { canonicalRow, versioning } from '../../src/stores/table-version.js';
import { anyRow, decoded, reordered, seen } from './support/canonical-rows.js';

const NOTHING = new Set<string>();
const textOf = (row: object): string => canonicalRow(row, 'active', NOTHING);

describe('the canonical form of a row', () => {
  test('can be parsed again, so distinct rows never share one', () => {
    fc.assert(fc.property(anyRow, fc.constantFrom('active' as const, 'stopped' as const), (given, status) => {
      const readBack = decoded(canonicalRow(given, status, NOTHING));
      expect(readBack).toStrictEqual({ status, columns: seen(given) });
    }), { numRuns: 2_000 });
  });

  test('survives UTF-8, so distinct texts stay distinct bytes', () => {
    fc.assert(fc.property(anyRow, (given) => {
      const text = textOf(given);
      expect(new TextDecoder().decode(new TextEncoder().encode(text))).toBe(text);
    }), { numRuns: 1_000 });
  });

  test('does not depend on the order of keys, at any depth', () => {
    fc.assert(fc.property(anyRow, (given) => {
      expect(textOf(reordered(given) as object)).toBe(textOf(given));
    }), { numRuns: 1_000 });
  });

  test('leaves out ignored columns, and nothing else', () => {
    const ignored = new Set(['lastError']);
    const at = (fields: object): string => canonicalRow({ token: 'a', ...fields }, 'active', ignored);
    expect(at({ lastError: () => {} })).toBe(at({}));
    expect(at({ config: { lastError: 1 } })).not.toBe(at({ config: {} }));
    expect(canonicalRow({}, 'active', NOTHING)).not.toBe(canonicalRow({}, 'stopped', NOTHING));
  });

  test.each<{ what: string; one: object; other: object }>([
    { what: 'a property that is undefined and one that is absent', one: { a: undefined, b: { c: undefined } }, other: { b: {} } },
    {
      what: 'a Buffer, a Uint8Array and an ArrayBuffer',
      one: { a: Buffer.from([1, 2]), b: new Uint8Array([3]).buffer },
      other: { a: new Uint8Array([1, 2]), b: Buffer.from([3]) },
    },
    {
      what: 'bytes in the middle of a buffer',
      one: { a: new Uint8Array([9, 1, 2, 9]).subarray(1, 3) },
      other: { a: new Uint8Array([1, 2]) },
    },
    {
      what: 'objects with and without a prototype',
      one: { a: { b: 1 } },
      other: { a: Object.assign(Object.create(null) as object, { b: 1 }) },
    },
    {
      what: 'the values of another realm',
      one: vm.runInNewContext('({ a: { b: new Date(5) }, c: new Uint8Array([1]), d: [1n] })') as object,
      other: { a: { b: new Date(5) }, c: new Uint8Array([1]), d: [1n] },
    },
    {
      what: 'a row that is an instance of a class',
      one: new (class Entity {
        token = 'a';
      })(),
      other: { token: 'a' },
    },
  ])('is the same for $what', ({ one, other }) => {
    expect(textOf(one)).toBe(textOf(other));
  });

  test.each<{ what: string; held: unknown; told: string }>([
    { what: 'a function', held: () => {}, told: 'a function' },
    { what: 'a symbol', held: Symbol('a'), told: 'a symbol' },
    { what: 'a Map', held: new Map(), told: 'an instance of a class' },
    {
      what: 'an instance of a class',
      held: new (class Money {
        amount = 1;
      })(),
      told: 'an instance of a class',
    },
    { what: 'a boxed string', held: Object('text'), told: 'an instance of a class' },
    { what: 'numbers in an array of floats', held: new Float32Array(1), told: 'an instance of a class' },
    { what: 'a promise', held: Promise.resolve(), told: 'an instance of a class' },
    {
      what: 'a value nested too deep',
      held: JSON.parse('['.repeat(201) + ']'.repeat(201)),
      told: 'values nested more than 200 deep',
    },
    {
      what: 'a cycle',
      held: (() => {
        const cycle: unknown[] = [1, 2];
        cycle.push(cycle, cycle);
        return cycle;
      })(),
      told: 'a cycle',
    },
  ])('refuses $what, and names its column', ({ held, told }) => {
    expect(() => textOf({ token: 'a', config: { secretKey: [held] } })).toThrow(`column 'config' holds ${told}`);
  });

  test('accepts values at the greatest depth, and one value in two places', () => {
    const shared = { a: 1 };
    expect(textOf({ a: JSON.parse('['.repeat(200) + ']'.repeat(200)) as unknown, b: [shared, shared] })).toContain(
      '{"a":n1;}{"a":n1;}',
    );
  });
});

describe('the version of a row', () => {
  test('is the SHA-256 of the canonical form, or its HMAC with a key, and reveals nothing of the row', async () => {
    const rows = [{ id: 'a', token: 'xoxb-secret', n: 1n, at: new Date(0), raw: new Uint8Array([255]) }];
    const text = 'active"at":d0;"id":"a""n":i1;"raw":bff;"token":"xoxb-secret"';
    expect(textOf(rows[0] as object)).toBe(text);
    expect((await tableStore({ read: () => rows }).get('a'))?.version).toBe(createHash('sha256').update(text).digest('hex'));
    expect((await tableStore({ read: () => rows, versionKey: 'a key' }).get('a'))?.version).toBe(
      createHmac('sha256', 'a key').update(text).digest('hex'),
    );
  });

  test('differs between keys, and is the same for equal keys', async () => {
    const [one, same, other] = [versioning('one'), versioning('one'), versioning('two')];
    expect({ same: (await one('text')) === (await same('text')), other: (await one('text')) === (await other('text')) }).toEqual({
      same: true,
      other: false,
    });
  });

  test('belongs to the row as it was read, even if the row is edited in place meanwhile', async () => {
    const shared = { id: 'a', token: 'before' };
    const store = tableStore({ read: () => [shared] });
    const expected = await store.get('a');
    const reading = store.get('a');
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    shared.token = 'after';
    const record = await reading;
    expect(record?.version === expected?.version).toBe(record?.token === 'before');
  });
});

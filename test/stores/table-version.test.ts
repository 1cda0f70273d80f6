import { createHash, createHmac } from 'node:crypto';
import vm from 'node:vm';
import fc from 'fast-check';
import { tableStore } from 'hydrant';
import { describe, expect, test } from 'vitest';
import { canonicalRow, versioning } from '../../src/stores/table-version.js';

const NOTHING = new Set<string>();
const textOf = (row: object): string => canonicalRow(row, 'active', NOTHING);

/** Reads a canonical text back. If two rows had the same text, one of them could not be read back. */
class Decoder {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  row(): { readonly status: string; readonly columns: Record<string, unknown> } {
    const status = this.#text.startsWith('active') ? 'active' : 'stopped';
    this.#at = status.length;
    return { status, columns: this.#properties('') };
  }

  #properties(end: string): Record<string, unknown> {
    const properties: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    while (this.#at < this.#text.length && this.#text[this.#at] !== end) {
      const key = this.#string();
      expect(this.#text[this.#at]).toBe(':');
      this.#at += 1;
      properties[key] = this.#value();
    }
    this.#at += end.length;
    return properties;
  }

  #string(): string {
    const [json = ''] = /^"(?:[^"\\]|\\.)*"/.exec(this.#text.slice(this.#at)) ?? [];
    this.#at += json.length;
    return JSON.parse(json) as string;
  }

  #until(end: string): string {
    const from = this.#at;
    this.#at = this.#text.indexOf(end, from) + end.length;
    return this.#text.slice(from, this.#at - end.length);
  }

  #value(): unknown {
    const kind = this.#text[this.#at] as string;
    if (kind === '"') return this.#string();
    this.#at += 1;
    switch (kind) {
      case 'u': return undefined;
      case '0': return null;
      case 't': return true;
      case 'f': return false;
      case 'n': return Number(this.#until(';'));
      case 'i': return BigInt(this.#until(';'));
      case 'd': return new Date(Number(this.#until(';')));
      case 'b': return new Uint8Array(Buffer.from(this.#until(';'), 'hex'));
      case '{': return this.#properties('}');
      case '[': {
        const items: unknown[] = [];
        while (this.#text[this.#at] !== ']') items.push(this.#value());
        this.#at += 1;
        return items;
      }
      default: throw new Error(`no value begins with ${kind}`);
    }
  }
}

/** As the canonical form sees a value: without properties that are undefined, and bytes as bytes. */
function seen(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from(value, seen);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return new Uint8Array(value as ArrayBuffer);
  const properties = Object.create(null) as Record<string, unknown>;
  for (const [key, inner] of Object.entries(value)) if (inner !== undefined) properties[key] = seen(inner);
  return properties;
}

const awkwardText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '\ud800', '\udfff', '\0', ';', '}', ':', 'é', 'e\u0301') }),
);
const leaf = fc.oneof(
  awkwardText,
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, undefined, -0, 0, '0', '', NaN, Infinity),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array(),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.uint8Array().map(({ buffer }) => buffer.slice(0)),
);
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(awkwardText, tie('value'), { maxKeys: 4 }),
  ),
})).value;
const row = fc.dictionary(awkwardText, value, { maxKeys: 5 });

/** The same row with the keys of every object in another order. */
function reordered(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(reordered);
  if (typeof given !== 'object' || given === null || ![Object.prototype, null].includes(Object.getPrototypeOf(given) as never))
    return given;
  const properties = Object.create(null) as Record<string, unknown>;
  for (const [key, inner] of Object.entries(given).toReversed()) properties[key] = reordered(inner);
  return properties;
}

describe('the canonical form of a row', () => {
  test('can be parsed again, so distinct rows never share one', () => {
    fc.assert(fc.property(row, fc.constantFrom('active' as const, 'stopped' as const), (given, status) => {
      const decoded = new Decoder(canonicalRow(given, status, NOTHING)).row();
      expect(decoded).toStrictEqual({ status, columns: seen(given) });
    }), { numRuns: 2_000 });
  });

  test('survives UTF-8, so distinct texts stay distinct bytes', () => {
    fc.assert(fc.property(row, (given) => {
      const text = textOf(given);
      expect(new TextDecoder().decode(new TextEncoder().encode(text))).toBe(text);
    }), { numRuns: 1_000 });
  });

  test('does not depend on the order of keys, at any depth', () => {
    fc.assert(fc.property(row, (given) => {
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

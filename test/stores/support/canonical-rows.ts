import fc from 'fast-check';
import { expect } from 'vitest';

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

/** Reads a canonical text back. If two rows had the same text, one of them could not be read back. */
export const decoded = (text: string): ReturnType<Decoder['row']> => new Decoder(text).row();

/** A value in the view of the canonical form: without undefined properties, and with all bytes as `Uint8Array`. */
export function seen(value: unknown): unknown {
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
/** A row of odd values under odd names. */
export const anyRow = fc.dictionary(awkwardText, value, { maxKeys: 5 });

/** The same row with the keys of every object in another order. */
export function reordered(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(reordered);
  if (typeof given !== 'object' || given === null || ![Object.prototype, null].includes(Object.getPrototypeOf(given) as never))
    return given;
  const properties = Object.create(null) as Record<string, unknown>;
  for (const [key, inner] of Object.entries(given).toReversed()) properties[key] = reordered(inner);
  return properties;
}

import type { ConnectionStatus } from '../contracts/record.js';

/** Deeper values are refused, because how deep a stack may grow differs between runtimes. */
const MAX_DEPTH = 200;

/** Says what is wrong with a row without repeating what is in it. The message completes "The row of connection …". */
export class NotARecord extends TypeError {}

function noCanonicalForm(column: string, what: string): NotARecord {
  return new NotARecord(`has no version, because its column '${column}' holds ${what}: see the options ignore and version`);
}

/**
 * One text per row, in any order of its keys. Each kind of value begins with a letter of its own and ends where
 * its own text says, so a reader can decode the text again: two different rows never share one.
 *
 * A property that is `undefined` counts as absent. Bytes are the same in a `Buffer`, a `Uint8Array` and an `ArrayBuffer`.
 *
 * @throws NotARecord for functions, symbols, cycles, class instances and everything nested too deep
 */
export function canonicalRow(row: object, status: ConnectionStatus, ignored: ReadonlySet<string>): string {
  const columns = Object.keys(row).filter((column) => !ignored.has(column)).toSorted();
  const values = row as Readonly<Record<string, unknown>>;
  return status + columns.map((column) => property(column, canonical(values[column], column, []))).join('');
}

function property(key: string, value: string | undefined): string {
  return value === undefined ? '' : `${JSON.stringify(key)}:${value}`;
}

/** `undefined` for `undefined`. */
function canonical(value: unknown, column: string, parents: readonly object[]): string | undefined {
  switch (typeof value) {
    case 'undefined': return undefined;
    // JSON escapes lone surrogates, which UTF-8 would make equal.
    case 'string': return JSON.stringify(value);
    case 'number': return `n${Object.is(value, -0) ? '-0' : value};`;
    case 'bigint': return `i${value};`;
    case 'boolean': return value ? 't' : 'f';
    case 'object': return value === null ? '0' : ofObject(value, column, parents);
    default: throw noCanonicalForm(column, `a ${typeof value}`);
  }
}

function ofObject(value: object, column: string, parents: readonly object[]): string {
  if (Array.isArray(value)) {
    const inside = entered(value, column, parents);
    return `[${Array.from(value, (item: unknown) => canonical(item, column, inside) ?? 'u').join('')}]`;
  }
  if (isPlain(value)) {
    const inside = entered(value, column, parents);
    const keys = Object.keys(value).toSorted();
    return `{${keys.map((key) => property(key, canonical((value as Record<string, unknown>)[key], column, inside))).join('')}}`;
  }
  const time = timeOf(value);
  if (time !== undefined) return `d${time};`;
  const bytes = bytesOf(value);
  if (bytes !== undefined) return `b${hex(bytes)};`;
  throw noCanonicalForm(column, 'an instance of a class');
}

function entered(value: object, column: string, parents: readonly object[]): readonly object[] {
  if (parents.includes(value)) throw noCanonicalForm(column, 'a cycle');
  if (parents.length === MAX_DEPTH) throw noCanonicalForm(column, `values nested more than ${MAX_DEPTH} deep`);
  return [...parents, value];
}

function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Objects may come from another realm, such as a test runner's: no `instanceof`. */
function timeOf(value: object): number | undefined {
  try {
    return Date.prototype.getTime.call(value);
  } catch {
    return undefined;
  }
}

function bytesOf(value: object): Uint8Array | undefined {
  if (ArrayBuffer.isView(value)) {
    const isBytes = (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] === 'Uint8Array';
    return isBytes ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : undefined;
  }
  try {
    byteLengthOf.call(value);
    return new Uint8Array(value as ArrayBuffer);
  } catch {
    return undefined;
  }
}

const byteLengthOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')?.get as () => number;

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Makes a version of a canonical text: its SHA-256, or with a key its HMAC-SHA-256, in hexadecimal. */
export function versioning(key: string | undefined): (text: string) => Promise<string> {
  const encoder = new TextEncoder();
  if (key === undefined) return async (text) => hex(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text))));
  let imported: Promise<CryptoKey> | undefined;
  return async (text) => {
    imported ??= crypto.subtle.importKey('raw', encoder.encode(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    return hex(new Uint8Array(await crypto.subtle.sign('HMAC', await imported, encoder.encode(text))));
  };
}

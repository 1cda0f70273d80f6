import * as z from 'zod/mini';
import { ConnectionError } from './errors.js';

/*
 * The one mechanism by which options are checked, at construction. A refusal of a value has the form
 * `<class or function>: <option>: expected <…>, got <…>`. What `PostgresStore` finds out about a table, it says in sentences
 * of its own. This is the only file that knows zod. Its schemas are made
 * on first use: one that is made while a module loads would stay in the bundle of everybody who imports that module.
 */

/** A schema for one option. */
export type Check<T> = z.ZodMiniType<T>;

/** Timers take a signed 32-bit number of milliseconds. A greater one overflows to 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Strings in messages are cut to this length. */
const MAX_SHOWN = 40;

/** Returns a function that makes something at its first call and keeps it. */
export function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}

export const isFunction = (value: unknown): boolean => typeof value === 'function';
export const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
export const isDuration = (value: unknown, least: number): boolean =>
  typeof value === 'number' && value >= least && value <= MAX_TIMER_MS;
export const hasMethods = (value: unknown, ...names: string[]): boolean =>
  (isObject(value) || isFunction(value)) && names.every((name) => isFunction((value as Record<string, unknown>)[name]));

/** Shows a value that came in place of a string, number or boolean. */
export function quote(value: unknown): string {
  if (typeof value !== 'string') return describe(value);
  return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
}

/** Shows a value that came in place of an object or function. A string is not repeated: it may hold a password. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'bigint') return `${value}n`;
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || value instanceof RegExp) return String(value);
  if (typeof value === 'function') return 'a function';
  return Array.isArray(value) ? 'an array' : typeof value === 'symbol' ? 'a symbol' : 'an object';
}

/** A value that `accepts` accepts. `expected` completes the sentence "expected …". */
export function expecting<T>(
  expected: string,
  accepts: (value: unknown) => boolean,
  got: (value: unknown) => string = quote,
): Check<T> {
  return z.custom<T>(accepts, { error: ({ input }) => `expected ${expected}, got ${got(input)}` });
}

export const duration = (least: number): Check<number> =>
  expecting(`milliseconds from ${least} to ${MAX_TIMER_MS}`, (value) => isDuration(value, least));

export const durationOrNever = (least: number): Check<number> =>
  expecting(
    `milliseconds from ${least} to ${MAX_TIMER_MS}, or Infinity`,
    (value) => value === Infinity || isDuration(value, least),
  );

const isCount = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && (value as number) >= least;

export const count = (least: number): Check<number> =>
  expecting(`an integer of at least ${least}`, (value) => isCount(value, least));

export const countOrInfinity = (least: number, most: number = Number.MAX_SAFE_INTEGER): Check<number> => {
  const integer = most === Number.MAX_SAFE_INTEGER ? `an integer of at least ${least}` : `an integer from ${least} to ${most}`;
  return expecting(
    `${integer}, or Infinity`,
    (value) => value === Infinity || (isCount(value, least) && (value as number) <= most),
  );
};

export const aFunction = <T>(expected = 'a function'): Check<T> => expecting<T>(expected, isFunction, describe);

export const withMethods = <T>(expected: string, ...names: string[]): Check<T> =>
  expecting<T>(expected, (value) => hasMethods(value, ...names), describe);

export const oneOf = <T>(...values: T[]): Check<T> =>
  expecting(values.map((value) => quote(value)).join(' or '), (value) => values.includes(value as T));

export const text = (expected: string, accepts: (value: string) => boolean = () => true): Check<string> =>
  expecting(expected, (value) => typeof value === 'string' && accepts(value));

/** A member that may be left out. It is a default too, because one kind of schema fewer is in the build then. */
export const optional = <T>(schema: Check<T>): Check<T | undefined> =>
  z._default(schema, undefined as never) as Check<T | undefined>;

/** A default that is an object is given by a function, because zod copies such values. */
export const withDefault = <T>(schema: Check<T>, value: T | (() => T)): Check<T> =>
  z._default(schema, value as z.util.NoUndefined<T>) as Check<T>;

type Members = Readonly<Record<string, Check<any>>>;
type Output<M extends Members> = { -readonly [K in keyof M]: z.output<M[K]> };

/** An object with these members and no others, so that a misspelt option is not ignored. */
export const shape = <M extends Members>(expected: string, members: M): Check<Output<M>> =>
  z.strictObject(members, { error: notAnObject(expected) }) as unknown as Check<Output<M>>;

const withDefaults = <T>(schema: Check<T>): Check<T> => withDefault(schema, () => check('', schema, {}));

/** A `shape` with a default for every member: without the object, all of them apply. */
export const shapeOfDefaults = <M extends Members>(expected: string, members: M): Check<Output<M>> =>
  withDefaults(shape(expected, members));

/** An object with these members and any others, which are left out of the result. */
export const looseShape = <M extends Members>(expected: string, members: M): Check<Output<M>> =>
  z.object(members, { error: notAnObject(expected) }) as unknown as Check<Output<M>>;

function notAnObject(expected: string) {
  return (issue: { code?: string | undefined; input?: unknown; keys?: unknown }): string => issue.code === 'unrecognized_keys'
    ? `does not know ${(issue.keys as string[]).map((key) => `'${key}'`).join(', ')}`
    : `expected ${expected}, got ${describe(issue.input)}`;
}

/** Adds a rule that is about several members. `refuse` names the member at fault and says what is wrong with it. */
export function ruled<T>(
  schema: Check<T>,
  refuse: (value: T) => { readonly path: string; readonly message: string } | undefined,
): Check<T> {
  return schema.check(({ value, issues }) => {
    const refusal = refuse(value);
    if (refusal !== undefined) issues.push({ code: 'custom', input: value, path: [refusal.path], message: refusal.message });
  });
}

/** Delays that double from `initialMs` to `maxMs`. */
export const backoff = (least: number): Check<{ initialMs: number; maxMs: number }> =>
  ruled(shape('{ initialMs, maxMs }', { initialMs: duration(least), maxMs: duration(least) }), ({ initialMs, maxMs }) =>
    initialMs <= maxMs ? undefined : { path: 'maxMs', message: `expected at least initialMs (${initialMs}), got ${maxMs}` });

/**
 * Returns the value with its defaults filled in.
 *
 * @param what - begins the message: the class or function that was called. Empty: the message begins with the option
 * @param at - the option, where `value` is not the whole of the options
 * @throws ConnectionError `INVALID_OPTIONS`, naming every wrong option
 */
export function check<T>(what: string, schema: Check<T>, value: unknown, at = ''): T {
  // Compiled code for an object that is parsed once costs more than it saves, and some platforms forbid it.
  const result = z.safeParse(schema, value, { jitless: true });
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const path = [...(at === '' ? [] : [at]), ...issue.path.map(String)].join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  throw invalidOptions(`${what === '' ? '' : `${what}: `}${problems.join('; ')}`);
}

export function invalidOptions(message: string): ConnectionError<'INVALID_OPTIONS'> {
  return new ConnectionError('INVALID_OPTIONS', message);
}

/** The error for one wrong value. `where` names what was called and the option. */
export function unexpected(where: string, expected: string, got: string): ConnectionError<'INVALID_OPTIONS'> {
  return invalidOptions(`${where}: expected ${expected}, got ${got}`);
}

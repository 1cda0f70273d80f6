import { ConnectionError } from '../errors.js';
import type { TableStoreOptions } from './table.js';

const A_FUNCTION = 'a function';
const COLUMNS = 'an array of column names';
const A_KEY = 'a text that is not empty';
const EXPECTED: Partial<Record<string, string>> = {
  read: A_FUNCTION, id: A_FUNCTION, status: A_FUNCTION, version: A_FUNCTION, validId: A_FUNCTION,
  ignore: COLUMNS, versionKey: A_KEY,
};

/**
 * Checks the options. An unknown one is refused, because its default would silently take its place.
 *
 * @throws ConnectionError `INVALID_OPTIONS`
 */
export function checkedTableOptions<T extends object>(options: TableStoreOptions<T>): TableStoreOptions<T> {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options);
  if (typeof options.read !== 'function') throw invalid('read', A_FUNCTION, options.read);
  for (const [name, value] of Object.entries(options)) {
    const expected = EXPECTED[name];
    if (expected === undefined) throw invalid(name, 'no such option', value);
    if (value !== undefined && !fits(expected, value)) throw invalid(name, expected, value);
  }
  return options;
}

function fits(expected: string, value: unknown): boolean {
  if (expected === A_FUNCTION) return typeof value === 'function';
  if (expected === A_KEY) return typeof value === 'string' && value !== '';
  return Array.isArray(value) && value.every((column) => typeof column === 'string');
}

/** Values are not repeated: one may be a key. */
function invalid(option: string, expected: string, got: unknown): ConnectionError<'INVALID_OPTIONS'> {
  const kind = got === null ? 'null' : Array.isArray(got) ? 'an array' : typeof got;
  return new ConnectionError('INVALID_OPTIONS', `tableStore: ${option}: expected ${expected}, got ${kind}`);
}

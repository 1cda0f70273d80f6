import { aFunction, check, expecting, once, optional, shape, text, type Check } from '../checks.js';
import type { TableStoreOptions } from './table.js';

const isNames = (value: unknown): boolean => Array.isArray(value) && value.every((name) => typeof name === 'string');

const optionsShape = /* @__PURE__ */ once(() => shape('an object of options', {
  read: aFunction('a function (ids, { signal }) => rows'),
  id: optional(aFunction()),
  status: optional(aFunction()),
  version: optional(aFunction()),
  ignore: optional(expecting('an array of column names', isNames)),
  validId: optional(aFunction()),
  versionKey: optional(text('a text that is not empty', (key) => key !== '') as Check<string>),
}));

/** @throws ConnectionError `INVALID_OPTIONS` */
export function checkedTableOptions<T extends object>(options: TableStoreOptions<T>): TableStoreOptions<T> {
  return check<object>('tableStore', optionsShape(), options) as TableStoreOptions<T>;
}

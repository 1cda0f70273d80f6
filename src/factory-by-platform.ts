import { compose, type Composition } from './composite-factory.js';
import type { InstanceFactory } from './contracts/factory.js';
import { ConnectionError } from './errors.js';
import { checkFactories } from './options.js';

/** The instances a factory makes. */
export type InstanceOf<F> = F extends { readonly create: (...args: any[]) => infer I } ? Awaited<I> : never;

/** The records a factory takes. */
export type RecordOf<F> = F extends { readonly create: (record: infer R, ...args: any[]) => any } ? R : never;

/** A factory need not read the discriminant, although its rows have it. */
type Keyed<R, K extends string, P> = K extends keyof R ? R : R & { readonly [k in K]: P };

/**
 * Makes one factory out of a factory per platform. The types refuse a missing or swapped one. A record whose platform is
 * not listed is `INVALID_RECORD`.
 *
 * @param key - the field that names the platform, such as `'platform'`
 * @param factories - the factory of each value; each takes the rows of its value only. One whose rows do not name the
 * discriminant may stand under any key, as long as the store's rows have what it needs
 * @throws ConnectionError `INVALID_OPTIONS`
 *
 * @example
 * const factory = factoryByPlatform('platform', { slack, telegram });
 */
export function factoryByPlatform<const K extends string, F extends { readonly [P in keyof F]: InstanceFactory<any, any> }>(
  key: K,
  factories: F & {
    readonly [P in keyof F]: Keyed<RecordOf<F[P]>, K, P> extends { readonly [k in K]: P }
      ? unknown
      : `the factory '${P & string}' does not take records whose ${K} is '${P & string}'`;
  },
): InstanceFactory<{ [P in keyof F]: Keyed<RecordOf<F[P]>, K, P> }[keyof F], InstanceOf<F[keyof F]>> {
  checkFactories(key, factories);
  const known = new Map(Object.entries<InstanceFactory<any, any>>(factories));
  const choose: Composition['choose'] = (record) => {
    const factory = known.get((record as unknown as Readonly<Record<string, string>>)[key] as string);
    if (factory !== undefined) return factory;
    throw new ConnectionError(
      'INVALID_RECORD',
      `The row of connection '${record.id}' has a ${key} without a factory`,
      { connectionId: record.id },
    );
  };
  return compose({ parts: [...known.values()], choose });
}

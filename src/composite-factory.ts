import type { InstanceFactory } from './contracts/factory.js';
import type { ConnectionRecord } from './contracts/record.js';

/** The parts of a factory that is made of several. */
export interface Composition {
  readonly parts: readonly InstanceFactory<any, any>[];
  /** @throws ConnectionError `INVALID_RECORD` when no part takes this record */
  choose(record: ConnectionRecord): InstanceFactory<any, any>;
}

/** Attached to a composite. `owner` tells it from a copy of it. Other versions of the package may not set it. */
interface Carried extends Composition { readonly owner?: object }

/** Shared by every copy of the package in a process. */
const COMPOSITION: unique symbol = Symbol.for('hydrant.composition');

interface Composite { readonly [COMPOSITION]?: Carried }

/** A factory that hands each record on to the part that takes it. */
export function compose({ parts, choose }: Composition): InstanceFactory<any, any> & Composite {
  const owner: InstanceFactory<any, any> = {
    create: (record, context) => choose(record).create(record, context),
    dispose: (instance, context) => choose(context.record).dispose?.(instance, context),
  };
  return Object.freeze(Object.assign(owner, { [COMPOSITION]: { parts, choose, owner } }));
}

/** Whether this is a copy of a composite. A copy's own members, such as an `authenticate`, would never be called. */
export function isCopyOfComposite(factory: InstanceFactory<any, any>): boolean {
  const owner = (factory as Composite)[COMPOSITION]?.owner;
  return owner !== undefined && owner !== factory;
}

/** The factory of one record: itself, unless it is made of several. */
export function factoryFor<R extends ConnectionRecord, I>(factory: InstanceFactory<R, I>, record: R): InstanceFactory<R, I> {
  const composition = (factory as Composite)[COMPOSITION];
  // They may be nested, one discriminant within another.
  return composition === undefined ? factory : factoryFor(composition.choose(record), record);
}

/** Every factory that a record may have. */
export function factoriesWithin(factory: InstanceFactory<any, any>): readonly InstanceFactory<any, any>[] {
  const composition = (factory as Composite)[COMPOSITION];
  return composition === undefined ? [factory] : composition.parts.flatMap(factoriesWithin);
}

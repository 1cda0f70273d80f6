import type { ChatAdapter } from './contract.js';

/** `factory` is an object that only this factory has: two factories may have a connection of the same id. */
interface Owner { readonly factory: object; readonly name: string }

const OWNERS = new WeakMap<ChatAdapter, Owner>();

/**
 * Notes the owner of an adapter: the instances of a connection, or its verification. An adapter holds one `Chat`, so with two
 * owners it would run the handlers of another connection, or run handlers before a delivery is authenticated.
 *
 * @throws Error if it has another owner
 */
export function claim(adapter: ChatAdapter, { factory, name }: Owner): void {
  const other = OWNERS.get(adapter);
  if (other === undefined) {
    OWNERS.set(adapter, { factory, name });
  } else if (other.factory !== factory || other.name !== name) {
    const owner = other.factory === factory ? other.name : `${other.name} of another factory`;
    throw new Error(`adapters() returned the ${adapter.name} adapter of ${owner} for ${name}: return new adapters each time`);
  }
}

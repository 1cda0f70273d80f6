import type { ChatAdapter } from './contract.js';

const OWNERS = new WeakMap<ChatAdapter, string>();

/**
 * Notes the owner of an adapter: the instances of a connection, or its verification. An adapter holds one `Chat`, so with two
 * owners it would run the handlers of another connection, or run handlers before a delivery is authenticated.
 *
 * @throws Error if it has another owner
 */
export function claim(adapter: ChatAdapter, owner: string): void {
  const other = OWNERS.get(adapter) ?? owner;
  if (other !== owner)
    throw new Error(`adapters() returned the ${adapter.name} adapter of ${other} for ${owner}: return new adapters each time`);
  OWNERS.set(adapter, owner);
}

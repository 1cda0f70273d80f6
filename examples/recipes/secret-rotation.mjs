/**
 * Secret rotation, where the row only refers to the secret. The vault's value changes and the row does not, so nobody
 * notices; these are the two ways to tell them.
 */

/**
 * Everywhere: a new version of the row makes every replica hydrate anew, and ask the vault.
 *
 * @param {{ touch(id: string): Promise<unknown> }} store a `PostgresStore`
 * @param {string} id
 */
export const rotateEverywhere = (store, id) => store.touch(id);

/**
 * Here: forgets the secrets this process has kept, and what it made of them.
 *
 * @param {{ invalidate(id: string): void }} registry
 * @param {string} id
 */
export const rotateHere = (registry, id) => registry.invalidate(id);

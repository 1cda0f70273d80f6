/**
 * Secret rotation, if the row only refers to the secret. The value in the vault changes and the row does not, so no replica
 * notices. There are two ways to tell them.
 */

/**
 * On every replica: a new version of the row makes each of them hydrate anew, and ask the vault.
 *
 * @param {{ touch(id: string): Promise<unknown> }} store a `PostgresStore`
 * @param {string} id
 */
export const rotateEverywhere = (store, id) => store.touch(id);

/**
 * In this process: forgets the kept secrets, and supersedes the instance.
 *
 * @param {{ invalidate(id: string): void }} registry
 * @param {string} id
 */
export const rotateHere = (registry, id) => registry.invalidate(id);

/**
 * The application's own store, over a key-value server that can count. Each write gets a new version.
 *
 * @typedef {import('hydrant').ConnectionRecord & { token: string }} Row
 * @typedef {{ get(key: string): Promise<string | undefined>, set(key: string, value: string): Promise<void>,
 *   delete(key: string): Promise<void>, increment(key: string): Promise<number> }} KeyValue
 */
export class KeyValueStore {
  #kv;

  /** @param {KeyValue} kv */
  constructor(kv) { this.#kv = kv; }

  /** @param {string} id @returns {Promise<Row | undefined>} */
  async get(id) {
    const text = await this.#kv.get(`bot:${id}`);
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** @param {{ id: string, token: string, status?: 'active' | 'stopped' }} row */
  async put({ id, token, status = 'active' }) {
    const version = await this.#kv.increment('bot-versions');
    await this.#kv.set(`bot:${id}`, JSON.stringify({ id, token, status, version }));
  }

  /** @param {string} id */
  delete(id) { return this.#kv.delete(`bot:${id}`); }
}

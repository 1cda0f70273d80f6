import { LineAdapter } from './line-adapter.mjs';

/**
 * Wraps the adapter.
 *
 * @typedef {import('hydrant').ConnectionRecord & { port: number, name: string, password: string, greeting: string }} LineRow
 *
 * @type {import('hydrant').InstanceFactory<LineRow, LineAdapter>}
 */
export const lineFactory = {
  async create(record, { signal, superseded, retire, onDispose }) {
    const adapter = new LineAdapter();
    // Registered before anything can fail, so a half-open client is closed if `connect` throws or is aborted.
    onDispose(() => adapter.close());
    // The server hung up: the next use logs in again. After a close of our own this does nothing.
    adapter.once('closed', (error) => retire(error ?? new Error('the server hung up')));
    adapter.on('message', (/** @type {string} */ from) => {
      // Replaced or stopped, it must not answer while its users finish. That may happen before it has started.
      if (!superseded.aborted) adapter.say(from, record.greeting);
    });
    await adapter.connect(record, { signal });
    return adapter;
  },
  // The server accepts a name once, so the old login must end before the new one.
  replacement: 'drain-first',
};

import { EventEmitter } from 'node:events';

/** A bot that remembers what it sent. @returns {import('../app/bots.mjs').Bot & { sent: string[], isClosed: boolean }} */
export function fakeBot() {
  const bot = Object.assign(new EventEmitter(), {
    sent: /** @type {string[]} */ ([]),
    isClosed: false,
    /** @param {string} to @param {string} text */
    async send(to, text) { bot.sent.push(`${to}: ${text}`); },
    async close() { bot.isClosed = true; },
  });
  return bot;
}

/** A key-value server in memory. */
export function fakeKeyValue() {
  /** @type {Map<string, string>} */
  const values = new Map();
  let count = 0;
  return {
    /** @param {string} key */
    get: async (key) => values.get(key),
    /** @param {string} key @param {string} value */
    set: async (key, value) => void values.set(key, value),
    /** @param {string} key */
    delete: async (key) => void values.delete(key),
    increment: async () => ++count,
  };
}

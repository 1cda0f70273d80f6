/**
 * `node --expose-gc test/bench/vendors.mjs`: the memory and the time that instances of the Chat SDK take. The guide to
 * capacity has the figures.
 */
import { liveBytes } from './measure/heap.mjs';

const INSTANCES = 2_000;
const MB = 1_000_000;

// Telegram's adapter asks who its bot is when it starts. Nothing leaves this process.
globalThis.fetch = async () => Response.json({ ok: true, result: { id: 1, is_bot: true, first_name: 'bot', username: 'bot' } });

const residentBefore = process.memoryUsage().rss;
const importedAt = performance.now();
const { Chat } = await import('chat');
const { createSlackAdapter } = await import('@chat-adapter/slack');
const importMs = performance.now() - importedAt;
const importBytes = process.memoryUsage().rss - residentBefore;
const { createTelegramAdapter } = await import('@chat-adapter/telegram');
const { createMemoryState } = await import('@chat-adapter/state-memory');

const state = createMemoryState();
const logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };
/** All instances stay, so that only new ones can change the heap. */
const live = [];
const slack = (n) => ({ slack: createSlackAdapter({ signingSecret: `secret ${n}`, botToken: `xoxb-${n}`, botUserId: `U${n}` }) });
const telegram = (n) => ({
  telegram: createTelegramAdapter({ botToken: `${n}:token`, secretToken: `secret ${n}`, mode: 'webhook', logger }),
});

console.log(`Node ${process.version}`);
console.log(`import of chat and @chat-adapter/slack: ${Math.round(importBytes / MB)} MB, ${Math.round(importMs)} ms`);
for (const [platform, adapters] of Object.entries({ slack, telegram })) {
  await start(adapters, 100);
  const before = await liveBytes();
  const startedAt = performance.now();
  await start(adapters, INSTANCES);
  const ms = (performance.now() - startedAt) / INSTANCES;
  const bytes = (await liveBytes() - before) / INSTANCES;
  console.log(`an instance with ${platform}: ${Math.round(bytes / 1_024)} KiB, ${ms.toFixed(2)} ms`);
}

async function start(adapters, count) {
  for (let n = 0; n < count; n += 1) {
    const chat = new Chat({ userName: 'bot', logger, state, adapters: adapters(n) });
    await chat.initialize();
    live.push(chat);
  }
}

import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { MemoryStore } from 'hydrant';
import { ManualClock, storeConformance } from 'hydrant/testing';
import { createBots } from '../app/bots.mjs';
import { KeyValueStore } from '../app/kv-store.mjs';
import { remind } from '../app/reminders.mjs';
import { fakeBot, fakeKeyValue } from './fakes.mjs';

test('an unused bot is closed after ten minutes, without a test that waits for them', async () => {
  const clock = new ManualClock();
  const bot = fakeBot();
  const bots = createBots({ store: new MemoryStore([{ id: 'acme', token: 't1' }]), clock, connect: async () => bot });
  assert.deepEqual(await remind(bots, [{ bot: 'acme', to: 'ada', text: 'Lunch' }]), { sent: 1, later: [] });
  await clock.advance(600_000);
  assert.equal(bot.isClosed, true);
  await bots.close();
});

// The application's own store keeps everything a registry relies on.
storeConformance({ describe, it }, () => {
  const store = new KeyValueStore(fakeKeyValue());
  return {
    store,
    write: (id, { status, config }) => store.put({ id, status, token: config }),
    remove: (id) => store.delete(id),
    configOf: (record) => /** @type {import('../app/kv-store.mjs').Row} */ (record).token,
  };
});

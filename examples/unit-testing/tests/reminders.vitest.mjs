import { expect, test } from 'vitest';
import { ConnectionError, ConnectionRegistry, MemoryStore } from 'hydrant';
import { remind } from '../app/reminders.mjs';
import { fakeBot } from './fakes.mjs';

const lunch = { bot: 'acme', to: 'ada', text: 'Lunch' };

test('with an object literal, where only the happy path matters', async () => {
  const bot = fakeBot();
  const connections = { use: (_id, work) => work(bot), acquire: () => { throw new Error('not used'); } };
  expect(await remind(connections, [lunch])).toEqual({ sent: 1, later: [] });
  expect(bot.sent).toEqual(['ada: Lunch']);
});

test('with one that fails as a registry fails', async () => {
  const connections = {
    async use() { throw new ConnectionError('OVERLOADED', 'too many at a time'); },
    acquire: () => { throw new Error('not used'); },
  };
  expect(await remind(connections, [lunch])).toEqual({ sent: 0, later: [lunch] });
});

test('with a real registry over rows in memory: the simplest fake that is right about everything', async () => {
  const bot = fakeBot();
  const store = new MemoryStore([{ id: 'acme' }, { id: 'resting', status: 'stopped' }]);
  const registry = new ConnectionRegistry({ store, factory: { create: () => bot } });
  const reminders = [lunch, { ...lunch, bot: 'resting' }, { ...lunch, bot: 'gone' }];
  expect(await remind(registry, reminders)).toEqual({ sent: 1, later: [] });
  await registry.close();
});

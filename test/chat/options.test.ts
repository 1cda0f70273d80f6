import { createMemoryState } from '@chat-adapter/state-memory';
import type { Chat } from 'chat';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { chatFactory } from 'hydrant/chat';
import { expect, test, vi } from 'vitest';
import { fakeAdapter } from './support/fakes.js';

const least = { state: createMemoryState(), adapters: () => ({ own: fakeAdapter('own') }) };

test('both ways to replace an instance are accepted, and no other', () => {
  for (const replacement of ['overlap', 'drain-first'] as const)
    expect(chatFactory({ ...least, replacement }).replacement).toBe(replacement);
  for (const replacement of ['', 'drain'] as never[]) expect(() => chatFactory({ ...least, replacement })).toThrow(/replacement/);
});

test('a factory has only the members whose options were given, so it can be spread over another one', () => {
  const members = Object.keys(chatFactory(least));
  for (const left of ['secrets', 'replacement', 'maxConcurrentHydrations']) expect(members).not.toContain(left);
});

test('without a configuration a bot is named "bot", and the SDK logs warnings only', async () => {
  const lines: string[] = [];
  const note = (level: string) => (line: string) => { lines.push(`${level}: ${line}`); };
  const levels = (['info', 'warn'] as const).map((level) => vi.spyOn(console, level).mockImplementation(note(level)));
  const setup = (chat: Chat): void => { chat.getLogger().info('hello'); chat.getLogger().warn('careful'); };
  const registry = new ConnectionRegistry({ store: new MemoryStore([{ id: 'c' }]), factory: chatFactory({ ...least, setup }) });
  const name = await registry.use('c', (chat) => chat.getUserName());
  await registry.close();
  for (const level of levels) level.mockRestore();
  expect({ name, lines }).toEqual({ name: 'bot', lines: ['warn: [chat-sdk] careful'] });
});

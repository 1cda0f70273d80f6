import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { eventually, example } from './support.js';

const { lineFactory } = await example('custom-adapter/factory.mjs');
const { startLineServer } = await example('support/line-server.mjs');

interface Adapter { say(to: string, text: string): void; once(event: string, listener: () => void): void }
interface Row { id: string; port: number; name: string; password: string; greeting: string }

describe('examples/custom-adapter', () => {
  let server: {
    port: number;
    log: string[];
    open: number;
    silence(silent: boolean): void;
    tell(name: string, text: string): void;
    drop(name: string): void;
    close(): Promise<void>;
  };
  let row: Row;
  let store: MemoryStore<Row>;
  let registry: ConnectionRegistry<any, Adapter>;

  beforeEach(async () => {
    server = await startLineServer();
    row = { id: 'acme', port: server.port, name: 'acme-bot', password: 'shh', greeting: 'Hello' };
    store = new MemoryStore([row]);
    registry = new ConnectionRegistry<any, Adapter>({ store, factory: lineFactory, failureBackoff: { initialMs: 0, maxMs: 0 } });
    registry.on('hydrationFailed', () => {});
  });
  afterEach(async () => {
    await registry.close();
    expect(server.open).toBe(0);
    await server.close();
  });

  const say = (text: string): Promise<void> => registry.use('acme', (adapter) => adapter.say('ada', text));

  test('keeps one login for any number of uses, and answers what comes in', async () => {
    await Promise.all(['a', 'b', 'c'].map(say));
    await eventually(() => server.log).toEqual([
      'LOGIN acme-bot',
      'acme-bot: MSG ada a',
      'acme-bot: MSG ada b',
      'acme-bot: MSG ada c',
    ]);
    server.tell('acme-bot', 'hi');
    await eventually(() => server.log.at(-1)).toBe('acme-bot: MSG ada Hello');
  });

  test('logs in again after the server has hung up', async () => {
    await say('a');
    const retired = new Promise((resolve) => { registry.on('retired', resolve); });
    server.drop('acme-bot');
    await retired;
    await say('b');
    await eventually(() => server.log.filter((line) => line.startsWith('LOGIN'))).toHaveLength(2);
  });

  test('logs the old one out before the new one in when the row was edited', async () => {
    await say('a');
    await store.put({ ...row, greeting: 'Good morning' });
    await say('b');
    await eventually(() => server.log).toEqual([
      'LOGIN acme-bot',
      'acme-bot: MSG ada a',
      'acme-bot: QUIT',
      'LOGIN acme-bot',
      'acme-bot: MSG ada b',
    ]);
  });

  test('leaves no connection open behind a login that was refused', async () => {
    await store.put({ ...row, password: 'wrong' });
    await expect(say('a')).rejects.toMatchObject({ code: 'HYDRATION_FAILED', cause: new Error('the server answered DENIED') });
    await eventually(() => server.open).toBe(0);
  });

  test('leaves none open behind a login that everyone has given up on', async () => {
    server.silence(true);
    const controller = new AbortController();
    const use = registry.use('acme', (adapter) => adapter.say('ada', 'a'), { signal: controller.signal });
    await eventually(() => server.log).toEqual(['LOGIN acme-bot']);
    controller.abort(new Error('the user has left'));
    await expect(use).rejects.toThrow('the user has left');
    await eventually(() => server.open).toBe(0);
    server.silence(false);
    await say('b');
  });
});

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { example } from './support.js';

const { rowOf, trial } = await example('gateway-manager/trial.mjs');
const { createWorld } = await example('gateway-manager/world.mjs');
const { GatewayManager: ByHand } = await example('gateway-manager/by-hand.mjs');
const { GatewayManager: WithHydrant } = await example('gateway-manager/with-hydrant.mjs');
const ROOT = fileURLToPath(new URL('../../examples/', import.meta.url));

/** A manager that has booted, and the world that it lives in. */
async function booted(Manager: any): Promise<{ world: any; manager: any; [Symbol.asyncDispose](): Promise<void> }> {
  const world = createWorld();
  const manager = new Manager(world, 'one');
  await manager.boot();
  return { world, manager, [Symbol.asyncDispose]: () => manager.close() };
}

describe.each([
  { name: 'by hand', Manager: ByHand },
  { name: 'with hydrant', Manager: WithHydrant },
])('examples/gateway-manager, $name, has the duties of a gateway:', ({ Manager }) => {
  test('a bot is added, used, stopped, started, restarted and removed', async () => {
    await using gateway = await booted(Manager);
    const { world, manager } = gateway;
    await manager.add(await rowOf(world, 'a'));
    expect(await manager.post('a', 'Ada')).toBe('Hello Ada');
    expect(manager.isRunning('a')).toBe(true);

    await manager.stop('a');
    expect(world.platform.running.size).toBe(0);
    await expect(manager.post('a', 'Ada')).rejects.toThrow();

    await manager.start('a');
    const { starts } = world.platform;
    await manager.restart('a');
    expect({ starts: world.platform.starts - starts, running: world.platform.running.size }).toEqual({ starts: 1, running: 1 });

    await manager.remove('a');
    expect({ running: world.platform.running.size, rows: await world.table.list() }).toEqual({ running: 0, rows: [] });
    await expect(world.vault.get('a/token')).rejects.toThrow('no secret');
  });

  test('a row that does not start is not kept', async () => {
    await using gateway = await booted(Manager);
    const { world, manager } = gateway;
    world.platform.failing.add('token of a');
    await expect(manager.add(await rowOf(world, 'a'))).rejects.toThrow();
    expect(await world.table.list()).toEqual([]);
  });

  test('the row tells of failures, and validate of the end of them', async () => {
    await using gateway = await booted(Manager);
    const { world, manager } = gateway;
    await manager.add(await rowOf(world, 'a'));
    world.platform.failing.add('token of a');
    await expect(manager.restart('a')).rejects.toThrow();
    await new Promise(setImmediate);
    const [failing] = await world.table.read(['a']);
    expect(failing).toMatchObject({ health: 'failing', lastError: '502 from the platform' });
    expect(await manager.validate('a')).toEqual({ works: false, detail: '502 from the platform' });

    world.platform.failing.clear();
    expect(await manager.validate('a')).toEqual({ works: true, detail: 'Hello myself' });
    await new Promise(setImmediate);
    const [running] = await world.table.read(['a']);
    expect(running).toMatchObject({ health: 'running', lastError: undefined });
  });
});

describe('examples/gateway-manager: the table', async () => {
  const rows: { what: string; byHand: string; withHydrant: string }[] = await trial();
  const printed = ['| | by hand | with hydrant |', '|---|---|---|']
    .concat(rows.map(({ what, byHand, withHydrant }) => `| ${what} | ${byHand} | ${withHydrant} |`))
    .join('\n');

  test.each([
    { what: /at once for a cold bot/, byHand: '20', withHydrant: '1' },
    { what: /a bot that fails to start/, byHand: '50', withHydrant: '2' },
    { what: /an edit while a webhook is handled/, byHand: '500', withHydrant: '200 Hello Ada' },
    { what: /cannot reach the claims/, byHand: expect.stringMatching(/^[1-9]\d*$/), withHydrant: '0' },
    { what: /asked for, inserted, and used/, byHand: 'Hello Ada', withHydrant: 'Hello Ada' },
    { what: /a start that takes a minute/, byHand: '1', withHydrant: '0' },
  ])('$what', ({ what, byHand, withHydrant }) => {
    expect(rows.find((row) => what.test(row.what))).toMatchObject({ byHand, withHydrant });
  });

  test('hydrant takes fewer lines', () => {
    const lines = rows.find(({ what }) => what.startsWith('lines'));
    expect(Number(lines?.withHydrant)).toBeLessThan(Number(lines?.byHand));
  });

  test.each(['guides/migrating.md', 'gateway-manager/README.md'])('%s shows what the script prints', (file) => {
    expect(readFileSync(`${ROOT}${file}`, 'utf8')).toContain(`\n${printed}\n`);
  });
});

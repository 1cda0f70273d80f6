import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { application, comesWith, entries, evaluate, files, importsOf, manifest } from './support/installed.js';

const root = entries.find(({ name }) => name === 'hydrant') as (typeof entries)[number];
const peers = Object.keys(manifest.peerDependencies);

/** Node's modules that an entry may bring along, and the dependencies of the package. Nothing else. */
const MAY_COME: Record<string, RegExp> = {
  'hydrant': /^lru-cache$/,
  'hydrant/node': /^node:(stream|http)$/,
  'hydrant/express': /^node:(stream|http)$/,
  'hydrant/fastify': /^node:(stream|http)$/,
  'hydrant/postgres': /^lru-cache$/,
  'hydrant/redis': /^$/,
  'hydrant/exclusive': /^p-limit$/,
  'hydrant/testing': /^node:assert\/strict$/,
  'hydrant/otel': /^@opentelemetry\/api$/,
  'hydrant/inspector': /^$/,
  'hydrant/chat': /^(chat|lru-cache|node:async_hooks)$/,
};

/** Entries that are of no use without a peer, and run its code. */
const NEEDS: Record<string, string> = { 'hydrant/otel': '@opentelemetry/api' };

describe('installed with nothing beside it', () => {
  test('npm brings the dependencies and no peer', () => {
    const there = readdirSync(join(application, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(there.filter((name) => peers.includes(name))).toEqual([]);
    expect(there).toEqual(expect.arrayContaining(['hydrant', ...Object.keys(manifest.dependencies)]));
  });

  test.each(Object.entries(NEEDS))('%s asks for %s by its name', async (name, peer) => {
    const failure = (load: string): string =>
      `await (async () => ${load})().catch((error) => console.log(JSON.stringify(error.message)))`;
    expect(await evaluate('module', failure(`import('${name}')`))).toContain(`'${peer}'`);
  });

  test.each(entries.filter(({ name }) => NEEDS[name] === undefined))(
    '$name is imported, and required, with the same names',
    async ({ name }) => {
      const imported = (await evaluate(
        'module',
        `console.log(JSON.stringify(Object.keys(await import('${name}'))))`,
      )) as string[];
      const required = (await evaluate('commonjs', `console.log(JSON.stringify(Object.keys(require('${name}'))))`)) as string[];
      expect(imported.length).toBeGreaterThan(0);
      expect(required.toSorted()).toEqual(imported.toSorted());
    },
  );

  test.each(entries)('$name imports only its allowed modules', ({ name, esm, cjs }) => {
    const may = MAY_COME[name];
    if (may === undefined) throw new Error(`say in this test what ${name} may bring along`);
    for (const file of [esm, cjs]) expect([...comesWith(file)].filter((one) => !may.test(one)), file).toEqual([]);
  });

  test('the root entry has at most 15 names', async () => {
    const names = await evaluate('module', "console.log(JSON.stringify(Object.keys(await import('hydrant'))))") as string[];
    expect(names).toEqual(
      expect.arrayContaining(['ConnectionRegistry', 'MemoryStore', 'ConnectionError', 'isConnectionError', 'factoryByPlatform']),
    );
    expect(names.length).toBeLessThanOrEqual(15);
  });

  test('the root entry imports nothing from Node, under whatever name', () => {
    for (const file of [root.esm, root.cjs]) {
      expect(
        [...comesWith(file)].filter((one) => one.startsWith('node:') || !Object.keys(manifest.dependencies).includes(one)),
      ).toEqual([]);
    }
  });

  test("Node's modules are imported by their whole name, which Deno and workerd ask for", async () => {
    const { builtinModules } = await import('node:module');
    for (const file of files.filter((one) => /\.c?js$/.test(one))) {
      expect(importsOf(file).foreign.filter((one) => builtinModules.includes(one)), file).toEqual([]);
    }
  });
});

describe('an ESM and a CommonJS copy in one process', () => {
  test('know each other as different copies that recognise each other: errors and factories', async () => {
    const seen = await evaluate('module', `
      import { createRequire } from 'node:module';
      import * as esm from 'hydrant';
      const cjs = createRequire(process.cwd() + '/x.js')('hydrant');
      const outcome = async (registry) => registry.use('a', (name) => name).catch((error) => error);
      const wrong = (copy) => { try { new copy.ConnectionRegistry({}); } catch (error) { return error; } };
      const store = new cjs.MemoryStore([{ id: 'a', platform: 'slack' }, { id: 'b', platform: 'irc' }]);
      const factory = cjs.factoryByPlatform('platform', { slack: { create: () => 'served' } });
      const registry = new esm.ConnectionRegistry({ store, factory });
      const unlisted = await registry.use('b', () => {}).catch((error) => error);
      console.log(JSON.stringify({
        two: esm.ConnectionError !== cjs.ConnectionError,
        esmKnowsCjs: esm.isConnectionError(wrong(cjs), 'INVALID_OPTIONS') && !(wrong(cjs) instanceof esm.ConnectionError),
        cjsKnowsEsm: cjs.isConnectionError(wrong(esm), 'INVALID_OPTIONS'),
        served: await registry.use('a', (name) => name),
        unlisted: cjs.isConnectionError(unlisted, 'INVALID_RECORD'),
      }));
      await registry.close();
    `);
    expect(seen).toEqual({ two: true, esmKnowsCjs: true, cjsKnowsEsm: true, served: 'served', unlisted: true });
  });

  test("each format has one copy of each class: an error of one entry is an instance of another entry's class", async () => {
    for (const kind of ['module', 'commonjs'] as const) {
      const load = (name: string): string => kind === 'module' ? `await import('${name}')` : `require('${name}')`;
      const seen = await evaluate(kind, `(async () => {
        const { ConnectionError } = ${load('hydrant')};
        const { toNodeHandler } = ${load('hydrant/node')};
        let thrown; try { toNodeHandler(5); } catch (error) { thrown = error; }
        console.log(JSON.stringify({ isConnectionError: thrown instanceof ConnectionError, code: thrown?.code }));
      })()`);
      expect(seen).toEqual({ isConnectionError: true, code: 'INVALID_OPTIONS' });
    }
  });
});

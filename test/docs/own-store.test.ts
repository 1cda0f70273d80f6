import { readFile } from 'node:fs/promises';
import type { PGlite } from '@electric-sql/pglite';
import { transform } from 'esbuild';
import type { ConnectionStore } from 'hydrant';
import { storeConformance } from 'hydrant/testing';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { emptyPglite, startPglite } from '../stores/support/pglite.js';
import { root } from './support/documents.js';

interface Row { readonly id: string; readonly version: number; readonly status: 'active' | 'stopped'; readonly token: string }

let makeStore: (pool: PGlite) => ConnectionStore<Row>;
let capabilities: string;
beforeAll(async () => {
  const guide = await readFile(`${root}examples/guides/own-store.md`, 'utf8');
  const [store = '', suite = ''] = [...guide.matchAll(/^```ts\n([^]*?)^```$/gm)].map((match) => match[1]);
  const { code } = await transform(store, { loader: 'ts', target: 'es2022' });
  makeStore = new Function('pool', `${code}; return new BotStore();`) as typeof makeStore;
  capabilities = /^\}, (\{.*\})\);$/m.exec(suite)?.[1] ?? '';
  await startPglite();
}, 60_000);

describe("the guide's own store, copied verbatim", () => {
  // The suite as the guide shows it, over a table with one counter.
  storeConformance({ describe, it }, async () => {
    const db = await emptyPglite();
    await db.exec(`create sequence versions; create table bots (
      id text primary key, token text, status text, version bigint not null default nextval('versions'))`);
    return {
      store: makeStore(db),
      write: (id, { status, config }) => db.query(
        `insert into bots (id, status, token) values ($1, $2, $3) on conflict (id) do update
          set status = excluded.status, token = excluded.token, version = excluded.version`,
        [id, status, config],
      ),
      remove: (id) => db.query('delete from bots where id = $1', [id]),
      configOf: (record) => (record as Row).token,
    };
  }, { getMany: true, getVersions: true });
});

test('the guide shows the capabilities that are tested here', () => {
  expect(capabilities).toBe('{ getMany: true, getVersions: true }');
});

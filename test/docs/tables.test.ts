import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ConnectionError, ConnectionRegistry, MemoryStore, type ConnectionErrorCode } from 'hydrant';
import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../src/options.js';
import { statusOf } from '../../src/errors.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const guide = (name: string): Promise<string> => readFile(`${root}examples/guides/${name}.md`, 'utf8');
/** The pages with the tables that are held to the source. */
const manual = (await Promise.all(['api', 'options', 'errors-and-events', 'speed-and-quality'].map(guide))).join('\n');
const source = (path: string): Promise<string> => readFile(`${root}src/${path}`, 'utf8');

/** The cells of every row of a table under a heading: the first, unless another is asked for. */
function tableUnder(heading: string, text = manual, which = 0): string[][] {
  const [, section = ''] = new RegExp(`^#+ ${heading}$([^]*?)(?=^#+ )`, 'm').exec(`${text}\n# end\n`) ?? [];
  const rows = [...section.matchAll(/(?:^\|.*\n)+/gm)][which]?.[0].trim().split('\n') ?? [];
  return rows.slice(2).map((row) => row.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim()));
}

const quoted = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);

async function allCodes(): Promise<ConnectionErrorCode[]> {
  const [, union = ''] = /type ConnectionErrorCode =([^;]*);/.exec(await source('errors.ts')) ?? [];
  return [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code as ConnectionErrorCode);
}

/** The events that an interface declares, and the names in their payloads. */
function payloadsOf(name: string, text: string): [string, string[]][] {
  const [, events = ''] = new RegExp(`interface ${name} \\{([^]*?)\\n\\}`).exec(text) ?? [];
  return [...events.matchAll(/^ {2}(\w+): \{([^]*?)\};$/gm)].map(([, event = '', payload = '']) => [
    event,
    [...payload.matchAll(/(\w+)\??:/g)].map(([, field = '']) => field),
  ]);
}

const factory = { create: () => 'an instance' };

describe('the tables of the manual match the source', () => {
  test('options: each has its line, with its default', async () => {
    const defaults = resolveOptions({ store: new MemoryStore(), factory });
    const ofWebhooks = Object.entries(defaults.webhook).map(([name, value]) => [`webhook.${name}`, value]);
    const given: Record<string, unknown> = { ...defaults, freshness: 'strict', ...Object.fromEntries(ofWebhooks) };
    const rows = tableUnder('Options');
    const named = rows.flatMap(([names]) => quoted(names));
    expect(named.toSorted()).toEqual(Object.keys(given).filter((name) => name !== 'maxStaleMs' && name !== 'webhook').toSorted());
    for (const [names, told = ''] of rows) {
      for (const name of quoted(names)) expect({ name, told }).toEqual({ name, told: inWords(given[name], name) });
    }
  });

  test('the factory: each member has its line', async () => {
    const [, members = ''] = /type InstanceFactory<[^{]*\{([^]*?)\n\}\);/.exec(await source('contracts/factory.ts')) ?? [];
    const declared = [...new Set([...members.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name))];
    expect(
      tableUnder('The API', manual, 1)
        .map(([cell]) => /`(\w+)/.exec(cell ?? '')?.[1])
        .toSorted(),
    ).toEqual(declared.toSorted());
  });

  test('the registry and its leases: each public member has its line', () => {
    const lease = ['instance', 'record', 'stale', 'signal', 'retire', 'release'];
    const members = Object.getOwnPropertyNames(ConnectionRegistry.prototype).filter((name) => name !== 'constructor');
    const told = tableUnder('The API')
      .flatMap(([cell]) => quoted(cell))
      .map((call) => /^(\w+)\.(\w+)/.exec(call)?.slice(1).join('.'));
    expect(told.toSorted()).toEqual(
      [...[...members, 'handleWebhook'].map((name) => `registry.${name}`), ...lease.map((name) => `lease.${name}`)].toSorted(),
    );
  });

  test('errors: each code has its line', async () => {
    expect(tableUnder('Errors').flatMap(([code]) => quoted(code)).toSorted()).toEqual((await allCodes()).toSorted());
  });

  test('errors: what may be retried is said to be', async () => {
    const rows = tableUnder('Errors');
    const marked = rows.filter(([, retry]) => retry === 'yes').flatMap(([code]) => quoted(code));
    expect(marked.toSorted()).toEqual((await allCodes()).filter((code) => new ConnectionError(code, '').retryable).toSorted());
  });

  test('errors: the status a webhook gets', async () => {
    for (const [code, , status] of tableUnder('Errors')) {
      expect({ code, status }).toEqual({ code, status: String(statusOf(quoted(code)[0] as ConnectionErrorCode)) });
    }
  });

  test('events: each has its line, with its whole payload', async () => {
    const declared = payloadsOf('RegistryEvents', await source('events.ts'));
    const told = tableUnder('Events').map(([name, payload]) => [quoted(name)[0], quoted(payload?.replace(/\(.*\)/, ''))]);
    expect(told).toEqual(declared);
    expect(() =>
      new ConnectionRegistry({ store: new MemoryStore(), factory }).on('no such event' as 'hydrated', () => {}),
    ).toThrow(declared.at(-1)?.[0] as string);
  });

  test('events: every reason of a dispose is named', async () => {
    const [, union = ''] = /type DisposeReason =([^;]*);/.exec(await source('contracts/factory.ts')) ?? [];
    const disposed = tableUnder('Events').find(([name]) => name === '`disposed`');
    expect(quoted(disposed?.[1]?.match(/\((.*)\)/)?.[1])).toEqual([...union.matchAll(/'(\w+)'/g)].map(([, reason]) => reason));
  });

  test('runtimes: those that the portable suite is run on, no more and no less', async () => {
    const { RUNTIMES } = await import('../runtimes/runtimes.mjs');
    const names = [...new Set(RUNTIMES.map(({ name }) => name))];
    const passes = (name: string, kind: string): string =>
      RUNTIMES.some((one) => one.name === name && one.kind === kind) ? 'passes' : '';
    expect(tableUnder('Where it runs')).toEqual(names.map((name) => [name, passes(name, 'esm'), passes(name, 'cjs')]));
  });
});

describe('the guide to exclusive transports', () => {
  test('options: each has its line, with its default', async () => {
    const { resolveRunnerOptions } = await import('../../src/exclusive/options.js');
    const required = {
      registry: { acquire: () => {} },
      claims: { renew() {}, claim() {}, release() {} },
      list: () => [],
      run() {},
    };
    const { tickMs, marginMs, coolDownMs, ...defaults } = resolveRunnerOptions(required as never) as unknown as Record<
      string,
      unknown
    >;
    expect({ tickMs, marginMs, coolDownMs }, 'told below the table').toEqual({
      tickMs: 45_000 / 9,
      marginMs: 45_000 / 6,
      coolDownMs: 45_000,
    });
    const rows = tableUnder('Options', await guide('exclusive-transports'));
    expect(rows.flatMap(([names]) => quoted(names)).toSorted()).toEqual(Object.keys(defaults).toSorted());
    const told = rows.flatMap(([names, value = '']) => quoted(names).map((name) => [name, value]));
    const given = told.map(([name = '']) => [
      name,
      name in required && name !== 'run' ? 'required' : inWords(name === 'run' ? undefined : defaults[name], name),
    ]);
    expect(told).toEqual(given);
  });

  test('events: each has its line, with its whole payload', async () => {
    const events = await source('exclusive/events.ts');
    const told = tableUnder('Events', await guide('exclusive-transports'));
    expect(told.map(([name, payload]) => [quoted(name)[0], quoted(payload?.replace(/\(.*\)/, ''))])).toEqual(
      payloadsOf('RunnerEvents', events),
    );
    const [, reasons = ''] = /type TenureEnd =([^;]*);/.exec(events) ?? [];
    expect(quoted(told.find(([name]) => name === '`ended`')?.[1]?.match(/\((.*)\)/)?.[1])).toEqual(
      [...reasons.matchAll(/'(\w+)'/g)].map(([, reason]) => reason),
    );
  });
});

describe('the guide to stores', () => {
  test.each<{ heading: string; interfaces: Record<string, string>; which?: number }>([
    { heading: 'PostgreSQL', interfaces: { PostgresStoreOptions: 'stores/postgres/options.ts' }, which: 2 },
    {
      heading: 'Redis',
      interfaces: { RedisStoreOptions: 'stores/redis/store.ts', RedisWatchOptions: 'stores/redis/listening.ts' },
    },
  ])('$heading: each option has its line', async ({ heading, interfaces, which }) => {
    const declared: string[] = [];
    for (const [name, path] of Object.entries(interfaces)) {
      const [, members = ''] = new RegExp(`interface ${name}[^{]*\\{([^]*?)\\n\\}`).exec(await source(path)) ?? [];
      declared.push(...[...members.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, option]) => option!));
    }
    expect(tableUnder(heading, await guide('stores'), which).flatMap(([option]) => quoted(option))).toEqual(declared);
  });
});

test('the manual counts the deliberate mistakes that the simulation finds', async () => {
  const { mutants } = await import('../properties/mutants.js');
  expect(manual).toContain(`${mutants.length} deliberate mistakes`);
});

test('the troubleshooting guide has a word on every code', async () => {
  const text = await guide('troubleshooting');
  expect((await allCodes()).filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
});

/** A default as the table writes it. */
function inWords(value: unknown, name: string): string {
  if (name === 'store' || name === 'factory') return 'required';
  if (name === 'clock') return 'system';
  if (value === undefined) return 'none';
  if (value === 1024 * 1024) return '1 MiB';
  if (value instanceof RegExp) return `\`${value}\``;
  if (typeof value === 'object')
    return `\`${JSON.stringify(value)
      .replaceAll('"', '')
      .replaceAll(/[:,]/g, '$& ')
      .replace('{', '{ ')
      .replace('}', ' }')
      .replaceAll(/\d{4,}/g, (digits) => Number(digits).toLocaleString('en').replaceAll(',', '_'))}\``;
  if (typeof value === 'string') return `\`'${value}'\``;
  return typeof value === 'number' && value >= 1_000 ? value.toLocaleString('en').replaceAll(',', ' ') : String(value);
}

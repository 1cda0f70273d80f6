import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';

/** The machine and the date of the measurement. */
export function machine() {
  return {
    node: process.version,
    cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    load: loadavg()
      .map((load) => load.toFixed(1))
      .join(', '),
    date: new Date().toISOString().slice(0, 10),
  };
}

const two = (value) => value.toFixed(2);
const whole = (value) => String(Math.round(value));
const ratios = ['', 'ns', 'times the reference', 'middle half of the rounds'];
const ratioRow = ({ name, ns, ratio, low, high }) => [name, whole(ns), `**${two(ratio)}**`, `${two(low)}–${two(high)}`];

/** Each suite's result as text. */
const SECTIONS = {
  heldOut: (result) =>
    section(
      'A live instance, many ids',
      'Reference: `await map.get(id)`; ids drawn as the cube of a uniform variable.',
      perCount(result),
    ),
  warm: (result) => section('A live instance', "Reference: `await map.get(id)`; ids by Zipf's law.", perCount(result)),
  asyncLocalStorage: (result) => section('The same inside AsyncLocalStorage, 1 000 ids', '', table(ratios, result.map(ratioRow))),
  lease: (result) => section('A lease without a promise', 'Reference: `map.get(id)`.', perCount(result)),
  cold: (result) =>
    section(
      'First uses',
      'Store and factory answer at once. Overhead: nanoseconds over reading the row, creating the instance and `map.set`.',
      Object.entries(result)
        .map(
          ([how, rows]) =>
            `### ${how}\n\n${table(
              ['', 'ns', 'overhead ns', 'times the reference'],
              rows.map(({ name, ns, over, ratio }) => [name, whole(ns), `**${whole(over)}**`, two(ratio)]),
            )}`,
        )
        .join('\n\n'),
    ),
  churn: ({ capacity, atOnce, results }) =>
    section(
      '100 000 ids through few places',
      `${capacity} places, ${atOnce} uses at once: every use hydrates.`,
      table(
        ['', 'ns per use', 'times the reference', 'most alive at a time'],
        results.map(({ name, ns, ratio, peak }) => [name, whole(ns), two(ratio), `**${peak}**`]),
      ),
    ),
  bytesPerUse: (result) =>
    section(
      'Bytes that one use allocates',
      "With those that the `await` itself allocates, which are the first row's.",
      bytes(result),
    ),
  bytesPerEntry: (result) => section('Bytes that one live connection holds', 'Id, row and instance aside.', bytes(result)),
  strict: (result) =>
    section(
      'Strict freshness',
      'A simulated store: 10 connections, a millisecond per query; 500 ids.',
      Object.entries(result)
        .map(
          ([how, rows]) =>
            `### ${how}\n\n${table(
              ['', 'queries per use', 'p50 ms', 'p99 ms'],
              rows.map(({ name, queriesPerUse, p50Ms, p99Ms }) => [
                name,
                `**${queriesPerUse.toFixed(3)}**`,
                two(p50Ms),
                two(p99Ms),
              ]),
            )}`,
        )
        .join('\n\n'),
    ),
  webhook: (result) => section('handleWebhook, a small signed body, live', '', table(ratios, result.map(ratioRow))),
  survivors: (result) =>
    section(
      'Bytes per delivery that survive a minor collection',
      '',
      bytes(result),
    ),
  primitives: (result) =>
    section(
      'Parts of a delivery that are the platform\'s',
      '',
      table(['', 'µs'], result.map(({ name, ns }) => [name, `**${(ns / 1000).toFixed(1)}**`])),
    ),
  flood: (result) =>
    section(
      'Beside a flood',
      'The time of a genuine signed delivery to a live connection under strict freshness, 200 a second, on a store of a '
        + 'millisecond. Beside it, strangers send 1 000 requests a second, each with a signature to check.',
      table(
        ['beside', 'requests of strangers', 'p50 ms', 'times', 'p99 ms', 'times'],
        result.map(({ name, strangers, p50Ms, p99Ms }) => [
          name,
          strangers,
          two(p50Ms),
          `**${two(p50Ms / result[0].p50Ms)}**`,
          two(p99Ms),
          two(p99Ms / result[0].p99Ms),
        ]),
      ),
    ),
  pauses: (result) =>
    section(
      'Mixed load',
      "5 000 uses/s, 20 000 ids by Zipf's law through 5 000 places, a store of a millisecond.",
      table(
        ['', 'uses/s', 'collections', 'collecting ms/s', 'longest ms', 'event loop delay p50 ms', 'p99 ms'],
        result.map((row) => [
          row.name,
          whole(row.usesPerSecond),
          row.collections,
          two(row.collectingMsPerSecond),
          two(row.longestCollectionMs),
          two(row.delayP50Ms),
          two(row.delayP99Ms),
        ]),
      ),
    ),
  scale: (result) =>
    section(
      'With more and more connections live',
      'A use picks from 1 000 ids of all; reference `await map.get(id)` on a Map as large.',
      table(
        [
          'live',
          'use ns',
          'times the reference',
          'sweep µs per connection',
          'longest turn in a sweep ms',
          'snapshot ms',
          'invalidate µs',
          'close ms',
          'longest turn in close ms',
        ],
        result.map((row) => [
          row.live,
          whole(row.useNs),
          two(row.useRatio),
          two(row.sweepUsPerConnection),
          two(row.sweepStallMs),
          whole(row.snapshotMs),
          two(row.invalidateUs),
          whole(row.closeMs),
          whole(row.closeStallMs),
        ]),
      ),
    ),
  eviction: ({ results, check }) =>
    section(
      'Which instance to let go',
      `Hydrates on a trace of a million uses of 100 000 ids. Hydrant's own costs are those of the policies: `
        + `${check.hydrantLru} hydrates where LRU costs ${check.lru}, and ${check.hydrantSieve} where SIEVE costs `
        + `${check.sieve} (${check.uses} uses, ${check.places} places).`,
      table(
        ['zipf', 'places', 'LRU', 'SIEVE', 'best possible (Belady)', 'SIEVE saves'],
        results.map(({ alpha, places, lru, sieve, belady }) => [
          alpha,
          places,
          lru,
          sieve,
          belady,
          `**${whole((1 - sieve / lru) * 100)} %**`,
        ]),
      ),
    ),
  http: (result) =>
    section(
      'End to end',
      'Signed `POST /webhooks/:id` over loopback, 16 connections, 100 live ids; the body is read and its HMAC checked '
        + 'in all three. *Map, Request*: a bare Map and the same handler, which takes a Request and gives a Response. '
        + '*Map, native*: a bare Map and a handler written for the framework, without either. *Times the CPU*: '
        + 'processor time of the server per request. Cold: 4 connections, a store of 2 ms and a factory of 3 ms. '
        + 'Latencies are of all rounds together.',
      table(
        [
          '',
          'per second',
          "hydrant's throughput",
          'CPU µs per request',
          "hydrant's times the CPU",
          'p50 ms',
          'p99 ms',
          'cold p50 ms',
          'cold p99 ms',
          "hydrant's times the cold p99",
        ],
        result.flatMap(({ framework, ...ways }) =>
          [
            ['hydrant', 'hydrant'],
            ['fetch', 'Map, Request'],
            ['native', 'Map, native'],
          ].map(([way, name]) => {
            const { perSecond, throughput, cpu, times, warm, cold } = ways[way];
            return [
              `${framework}, ${name}`,
              whole(perSecond),
              way === 'hydrant' ? '' : `**${two(throughput)}**`,
              whole(cpu),
              way === 'hydrant' ? '' : `**${two(times)}**`,
              two(warm.p50),
              two(warm.p99),
              two(cold.p50),
              two(cold.p99),
              way === 'hydrant' ? '' : `**${two(ways.hydrant.cold.p99 / cold.p99)}**`,
            ];
          }),
        ),
      ),
    ),
};

/** @returns the results as Markdown */
export function report(results, { node, cpu, load, loadAfter, date, rounds }) {
  const peers = Object.entries(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).dependencies)
    .map(([name, version]) => `${name} ${version}`).join(', ');
  const head = [
    '# Results',
    `\`npm run bench\`, ${date}, Node ${node}, ${cpu}; load average before ${load}, after ${loadAfter}. Peers: ${peers}.`,
    `Subjects take turns in one process, ${rounds} rounds. Code that never waits is measured in processor time of `
      + 'the process, so pauses that other processes cause do not count. Figures are medians. Ratios are medians of the '
      + 'ratio within a round.',
  ];
  return `${[...head, ...Object.entries(results).map(([name, result]) => SECTIONS[name](result))].join('\n\n')}\n`;
}

function section(title, note, body) {
  return [`## ${title}`, ...(note === '' ? [] : [note]), body].join('\n\n');
}

function perCount(result) {
  return Object.entries(result)
    .map(
      ([count, rows]) =>
        `### ${Number(count).toLocaleString('en').replaceAll(',', ' ')} `
          + `${count === '1' ? 'id' : 'ids'}\n\n${table(ratios, rows.map(ratioRow))}`,
    )
    .join('\n\n');
}

function bytes(result) {
  return table(['', 'bytes'], result.map(({ name, bytes: count }) => [name, whole(count)]));
}

const line = (cells) => `| ${cells.join(' | ')} |`;

function table(head, rows) {
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

import { readFileSync } from 'node:fs';
import type { Meter } from '@opentelemetry/api';
import { describe, expect, test, vi } from 'vitest';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { instrument, instrumentRunner } from 'hydrant/otel';
import { example } from '../examples/support.js';

/**
 * Every series that Prometheus has of what is measured, as OpenTelemetry's exporters name them: `(_seconds)?` because the
 * Collector and Prometheus' own OTLP receiver write the unit into the name, and the JavaScript SDK's exporter does not.
 */
function series(): Set<string> {
  const names = new Set<string>();
  const add = (suffixes: string[]) => (name: string, { unit = '' }: { unit?: string } = {}): object => {
    const base = `${name.replaceAll('.', '_')}${unit === 's' ? '(_seconds)?' : ''}`;
    for (const suffix of suffixes) names.add(base + suffix);
    return { add: () => {}, record: () => {} };
  };
  const meter = {
    createCounter: add(['_total']), createHistogram: add(['_bucket']),
    createObservableUpDownCounter: add(['']), createObservableGauge: add(['']),
    addBatchObservableCallback: () => {}, removeBatchObservableCallback: () => {},
  } as unknown as Meter;
  instrument(new ConnectionRegistry({ store: new MemoryStore(), factory: { create: () => ({}) } }), { meter }).stop();
  instrumentRunner({ snapshot: () => { throw new Error('not asked'); }, on: () => () => {} }, { meter })();
  return names;
}

const FOLDER = new URL('../../examples/observability/', import.meta.url);
const dashboard = JSON.parse(readFileSync(new URL('grafana-dashboard.json', FOLDER), 'utf8')) as {
  panels: { title: string; targets: { expr: string }[] }[];
};
const rules = readFileSync(new URL('alerts.yml', FOLDER), 'utf8');
const readme = readFileSync(new URL('README.md', FOLDER), 'utf8');
const LABELS = new Set([
  'hydrant_registry_name',
  'hydrant_connection_state',
  'hydrant_dispose_reason',
  'hydrant_tenure_end',
  'hydrant_claim_call',
]);
const used = (text: string): string[] =>
  [...new Set(text.match(/\bhydrant_\w+(?:\(_seconds\)\?\w*)?/g))].filter((name) => !LABELS.has(name));

describe('examples/observability', () => {
  const known = series();

  test.each(dashboard.panels)('the panel $title queries existing series', ({ targets }) => {
    for (const { expr } of targets) {
      expect(used(expr).length).toBeGreaterThan(0);
      expect(used(expr).filter((name) => !known.has(name))).toEqual([]);
    }
  });

  test('the alerts query existing series', () => {
    expect(used(rules).length).toBeGreaterThan(5);
    expect(used(rules).filter((name) => !known.has(name))).toEqual([]);
  });

  test('the dashboard shows every metric', () => {
    const shown = new Set(dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => used(expr))));
    expect([...known].filter((name) => !shown.has(name))).toEqual([]);
  });

  test('the README names every metric', () => {
    const names = [...known].map((name) => name.replace('(_seconds)?', '').replace(/_bucket$/, ''));
    expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('examples/observability/telemetry.mjs', () => {
  test('measures, and still logs failures', async () => {
    const { createInstrumented } = await example('observability/telemetry.mjs');
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    const store = new MemoryStore([{ id: 'acme' }, { id: 'broken' }]);
    const factory = {
      create: ({ id }: { id: string }) => {
        if (id === 'broken') throw new Error('the token xoxb-1 was revoked');
        return {};
      },
    };
    const { registry, connections } = createInstrumented({ store, factory, name: 'bots' });
    expect(await connections.use('acme', () => 'served')).toBe('served');
    await connections.use('broken', () => {}).catch(() => {});
    expect(error.mock.calls).toEqual([[expect.stringMatching(/^broken: HYDRATION_FAILED, attempt 1, the next in \d+ ms$/)]]);
    error.mockRestore();
    connections.stop();
    await registry.close();
  });
});

import { metrics, trace, type Meter, type MetricOptions } from '@opentelemetry/api';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { instrument, instrumentFactory, instrumentRunner } from 'hydrant/otel';

interface Instrument extends MetricOptions { readonly name: string; readonly kind: string }

/** All instruments, as a meter gets them. */
function instruments(): Instrument[] {
  const made: Instrument[] = [];
  const make =
    (kind: string) =>
    (name: string, options: MetricOptions): object => {
      made.push({ name, kind, ...options });
      return {};
    };
  const meter = {
    createCounter: make('counter'), createHistogram: make('histogram'),
    createObservableUpDownCounter: make('state'), createObservableGauge: make('state'),
    addBatchObservableCallback() {}, removeBatchObservableCallback() {},
  } as unknown as Meter;
  instrument(new ConnectionRegistry({ store: new MemoryStore(), factory: { create: () => ({}) } }), { meter }).stop();
  instrumentRunner({ snapshot: () => { throw new Error('not asked'); }, on: () => () => {} }, { meter })();
  return made;
}

/** https://opentelemetry.io/docs/specs/semconv/general/metrics/ */
describe('OpenTelemetry’s conventions', () => {
  afterEach(() => { vi.restoreAllMocks(); });

  test.each(instruments())('$name begins with hydrant, has a unit and a description', ({ name, unit, description }) => {
    expect(name).toMatch(/^hydrant(\.[a-z_]+)+$/);
    expect(unit).toMatch(/^(s|\{[a-z]+\})$/);
    expect(description).toMatch(/\S/);
  });

  test('duration buckets reach from a millisecond (a warm use) to thirty seconds (a hydrate that times out)', () => {
    const durations = instruments().filter(({ kind }) => kind === 'histogram');
    expect(durations).toMatchObject([
      { name: 'hydrant.hydration.duration', unit: 's' },
      { name: 'hydrant.use.wait_time', unit: 's' },
      { name: 'hydrant.use.duration', unit: 's' },
    ]);
    for (const { name, advice } of durations) {
      const bounds = advice?.explicitBucketBoundaries ?? [];
      expect({ first: bounds[0], last: bounds.at(-1) }, name).toEqual({ first: 0.001, last: 30 });
      expect(bounds, name).toEqual(bounds.toSorted((a, b) => a - b));
    }
  });

  test('the default meter and tracer are the global ones, under the name of the package', () => {
    const [meter, tracer] = [vi.spyOn(metrics, 'getMeter'), vi.spyOn(trace, 'getTracer')];
    const factory = instrumentFactory({ create: () => ({}) });
    instrument(new ConnectionRegistry({ store: new MemoryStore(), factory })).stop();
    instrumentRunner({ snapshot: () => { throw new Error('not asked'); }, on: () => () => {} })();
    expect(meter.mock.calls).toEqual([['hydrant'], ['hydrant']]);
    expect(tracer.mock.calls).toEqual([['hydrant'], ['hydrant']]);
  });
});

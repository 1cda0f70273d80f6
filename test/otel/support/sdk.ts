import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { ConnectionRegistry, MemoryStore, type ConnectionRecord, type InstanceFactory, type RegistryTuning } from 'hydrant';
import { instrument, instrumentFactory } from 'hydrant/otel';
import { ManualClock } from 'hydrant/testing';

export type Row = ConnectionRecord & { readonly secret: string };

export const SECRET = 'xoxb-very-secret';

/** The real SDK, from which a test reads back what was exported. Call it within `describe`. */
export function realSdk() {
  const spans = new InMemorySpanExporter();
  const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }).getTracer('test');
  let exporter: InMemoryMetricExporter;
  let reader: PeriodicExportingMetricReader;
  let meters: MeterProvider;
  let clock: ManualClock;
  let ends: (() => unknown)[];

  beforeAll(() => { context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()); });
  afterAll(() => { context.disable(); });
  beforeEach(() => {
    // These failures are intended, and an onlooker leaves them to the console.
    vi.spyOn(console, 'error').mockImplementation(() => {});
    clock = new ManualClock();
    ends = [];
    spans.reset();
    exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 31 - 1 });
    meters = new MeterProvider({ readers: [reader] });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    for (const end of ends) await end();
    await meters.shutdown();
  });

  async function exported(): Promise<MetricData[]> {
    exporter.reset();
    await reader.forceFlush();
    return exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
  }
  const named = (name: string): ReadableSpan[] => spans.getFinishedSpans().filter((span) => span.name === name);
  return {
    spans, tracer, named, exported,
    get clock() { return clock; },
    get meter() { return meters.getMeter('test'); },
    one(name: string): ReadableSpan {
      const found = named(name);
      expect(found.map((span) => span.name)).toEqual([name]);
      return found[0] as ReadableSpan;
    },
    /** The points of one metric, as its attributes and value. */
    async points(name: string): Promise<{ attributes: Record<string, unknown>; value: any }[]> {
      return (await exported()).filter(({ descriptor }) => descriptor.name === name)
        .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => ({ attributes: { ...attributes }, value })));
    },
    /** A registry that is measured, of rows 'acme' and 'other' that hold a secret. */
    instrumented(factory: Partial<InstanceFactory<Row, object>> = {}, tuning: RegistryTuning = {}) {
      const store = new MemoryStore([{ id: 'acme', secret: SECRET }, { id: 'other', secret: SECRET }]);
      const registry = new ConnectionRegistry<Row, object>({
        store,
        clock,
        factory: instrumentFactory({ create: () => ({}), ...factory } as InstanceFactory<Row, object>, { tracer }),
        ...tuning,
      });
      const connections = instrument(registry, { tracer, meter: meters.getMeter('test'), name: 'bots' });
      ends.push(() => registry.close());
      return { store, registry, connections };
    },
  };
}

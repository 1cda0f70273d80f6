import type { Attributes, Meter } from '@opentelemetry/api';
import type { RegistryEvents } from '../events.js';
import type { RegistrySnapshot } from '../snapshot.js';
import { onlooker } from '../onlooker.js';
import { ATTRIBUTE, DURATION_BUCKETS } from './names.js';

interface Observed {
  snapshot(): RegistrySnapshot;
  on<E extends keyof RegistryEvents>(event: E, listener: (payload: RegistryEvents[E]) => void): () => void;
}

const STATES = ['idle', 'leased', 'hydrating', 'draining', 'disposing'] as const;

/** Records a registry's events, and its snapshot whenever metrics are collected. Returns a function that ends this. */
export function observeRegistry(registry: Observed, meter: Meter, common: Attributes): () => void {
  const ends = [...countEvents(registry, meter, common), observeSnapshot(registry, meter, common)];
  return () => { for (const end of ends) end(); };
}

function countEvents(registry: Observed, meter: Meter, common: Attributes): (() => void)[] {
  const counter = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description });
  const hydrations = meter.createHistogram('hydrant.hydration.duration', {
    unit: 's', description: 'How long successful hydrates take', advice: { explicitBucketBoundaries: [...DURATION_BUCKETS] },
  });
  const hydrationFailures = counter('hydrant.hydration.failures', '{failure}', 'Hydrates that failed, by code');
  const disposals = counter('hydrant.connection.disposals', '{connection}', 'Instances disposed of, by reason');
  const abandoned = counter('hydrant.lease.abandoned', '{lease}', 'Leases whose instance was disposed of before their release');
  const disposeFailures = counter('hydrant.dispose.failures', '{failure}', 'Disposes that threw or took too long');
  const retirements = counter('hydrant.connection.retirements', '{connection}', 'Instances reported dead');
  const webhookFailures = counter('hydrant.webhook.failures', '{failure}', 'Webhooks answered with a failure, by code');
  const storeFailures = counter('hydrant.store.failures', '{failure}', 'Reads and subscriptions of the store that failed');
  const thrashing = counter('hydrant.thrashing', '{event}', 'How often evictions showed that maxInstances is too small');
  return [
    registry.on('hydrated', ({ durationMs }) => hydrations.record(durationMs / 1000, common)),
    registry.on(
      'hydrationFailed',
      onlooker(({ error }) => hydrationFailures.add(1, { ...common, [ATTRIBUTE.errorType]: error.code })),
    ),
    registry.on('disposed', ({ reason, abandonedLeases }) => {
      disposals.add(1, { ...common, [ATTRIBUTE.disposeReason]: reason });
      if (abandonedLeases > 0) abandoned.add(abandonedLeases, common);
    }),
    registry.on(
      'disposeFailed',
      onlooker(() => disposeFailures.add(1, common)),
    ),
    registry.on('retired', () => retirements.add(1, common)),
    registry.on(
      'webhookFailed',
      onlooker(({ error, acknowledged }) => {
        webhookFailures.add(1, { ...common, [ATTRIBUTE.errorType]: error.code, [ATTRIBUTE.acknowledged]: acknowledged });
      }),
    ),
    registry.on(
      'storeFailed',
      onlooker(() => storeFailures.add(1, common)),
    ),
    registry.on('thrashing', () => thrashing.add(1, common)),
  ];
}

function observeSnapshot(registry: Observed, meter: Meter, common: Attributes): () => void {
  const count = meter.createObservableUpDownCounter('hydrant.connection.count', {
    unit: '{connection}',
    description: 'Connections in memory, by state',
  });
  const max = meter.createObservableUpDownCounter('hydrant.connection.max', {
    unit: '{connection}',
    description: 'maxInstances',
  });
  const queued = meter.createObservableUpDownCounter('hydrant.hydration.queued', {
    unit: '{hydration}',
    description: 'Hydrates that wait for a permit',
  });
  const abandonedReads = meter.createObservableUpDownCounter('hydrant.store.reads.abandoned', {
    unit: '{read}',
    description: 'Queries of the store given up after storeTimeoutMs and not settled since',
  });
  const staleness = meter.createObservableGauge('hydrant.connection.staleness', {
    unit: 's',
    description: 'The longest that a live connection has gone without its row being checked',
  });
  const leaseAge = meter.createObservableGauge('hydrant.lease.age', {
    unit: 's',
    description: 'The longest that a connection has been leased without a pause',
  });
  const observables = [count, max, queued, abandonedReads, staleness, leaseAge];
  const observe: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    const { connections, queued: waiting, reads, limits } = registry.snapshot();
    const counts: Record<string, number> = Object.fromEntries(STATES.map((state) => [state, 0]));
    let [stalest, longest] = [0, 0];
    for (const { state, checkedAgoMs = 0, leasedForMs = 0 } of connections) {
      counts[state] = (counts[state] ?? 0) + 1;
      if (state === 'idle' || state === 'leased') stalest = Math.max(stalest, checkedAgoMs);
      longest = Math.max(longest, leasedForMs);
    }
    for (const [state, number] of Object.entries(counts)) result.observe(count, number, { ...common, [ATTRIBUTE.state]: state });
    result.observe(max, limits.maxInstances, common);
    result.observe(queued, waiting, common);
    result.observe(abandonedReads, reads.abandoned, common);
    result.observe(staleness, stalest / 1000, common);
    result.observe(leaseAge, longest / 1000, common);
  };
  meter.addBatchObservableCallback(observe, observables);
  return () => meter.removeBatchObservableCallback(observe, observables);
}

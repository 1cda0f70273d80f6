import { metrics, type Attributes, type Meter } from '@opentelemetry/api';
import type { RunnerEvents } from '../exclusive/events.js';
import type { RunnerSnapshot } from '../exclusive/snapshot.js';
import { onlooker } from '../onlooker.js';
import { ATTRIBUTE, SCOPE } from './names.js';
import type { Telemetry } from './instrument.js';

/** The part of an `ExclusiveRunner` that is measured. */
export interface InstrumentedRunner {
  snapshot(): RunnerSnapshot;
  on<E extends keyof RunnerEvents>(event: E, listener: (payload: RunnerEvents[E]) => void): () => void;
}

/**
 * Measures an `ExclusiveRunner`: the claims held, this replica's share, failed starts, and failed calls to the claim store.
 * Ended tenures are counted by reason. Watch `lost` and `expired`.
 *
 * It does not count as a listener: failures without other listeners are still written to the console.
 *
 * @returns a function that ends the metrics
 */
export function instrumentRunner(runner: InstrumentedRunner, options: Omit<Telemetry, 'tracer'> = {}): () => void {
  const meter: Meter = options.meter ?? metrics.getMeter(SCOPE);
  const common: Attributes = options.name === undefined ? {} : { [ATTRIBUTE.registry]: options.name };
  const counter = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description });
  const ended = counter('hydrant.claim.ended', '{claim}', 'Tenures that ended, by reason');
  const startFailures = counter('hydrant.claim.start_failures', '{failure}', 'Starts that failed');
  const unproven = counter('hydrant.claim.stop_unproven', '{claim}', 'Tenures that did not stop in time and were not released');
  const callFailures = counter('hydrant.claim.store_failures', '{failure}', 'Calls to the claim store that failed, by call');
  const listFailures = counter('hydrant.claim.list_failures', '{failure}', 'Listings that failed');
  const ends = [
    runner.on('ended', ({ reason }) => ended.add(1, { ...common, [ATTRIBUTE.tenureEnd]: reason })),
    runner.on('startFailed', onlooker(() => startFailures.add(1, common))),
    runner.on('stopUnproven', onlooker(() => unproven.add(1, common))),
    runner.on('claimsFailed', onlooker(({ call }) => callFailures.add(1, { ...common, [ATTRIBUTE.claimCall]: call }))),
    runner.on('listFailed', onlooker(() => listFailures.add(1, common))),
  ];
  const held = meter.createObservableUpDownCounter('hydrant.claim.held', {
    unit: '{claim}',
    description: 'Claims this replica owns',
  });
  const share = meter.createObservableUpDownCounter('hydrant.claim.share', {
    unit: '{claim}',
    description: 'Claims this replica should own',
  });
  const observables = [held, share];
  const observe: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    const snapshot = runner.snapshot();
    result.observe(held, snapshot.load, common);
    result.observe(share, snapshot.share, common);
  };
  meter.addBatchObservableCallback(observe, observables);
  return () => {
    for (const end of ends) end();
    meter.removeBatchObservableCallback(observe, observables);
  };
}

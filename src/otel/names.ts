/**
 * Names, after OpenTelemetry's conventions: dotted and lower case, durations in seconds, units in braces for things
 * that are counted, `error.type` for what went wrong (https://opentelemetry.io/docs/specs/semconv/general/metrics/).
 * Ids are on spans only, because as metric attributes they would make a series per connection.
 */
export const SCOPE = 'hydrant';

export const SPAN = {
  use: 'hydrant.use',
  acquire: 'hydrant.acquire',
  webhook: 'hydrant.webhook',
  hydrate: 'hydrant.hydrate',
  dispose: 'hydrant.dispose',
} as const;

export const ATTRIBUTE = {
  registry: 'hydrant.registry.name',
  id: 'hydrant.connection.id',
  version: 'hydrant.connection.version',
  state: 'hydrant.connection.state',
  cold: 'hydrant.cold',
  disposeReason: 'hydrant.dispose.reason',
  acknowledged: 'hydrant.webhook.acknowledged',
  tenureEnd: 'hydrant.tenure.end',
  claimCall: 'hydrant.claim.call',
  errorType: 'error.type',
  status: 'http.response.status_code',
} as const;

/** Seconds. From a warm use to a hydrate that runs into its time-out. */
export const DURATION_BUCKETS: readonly number[] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

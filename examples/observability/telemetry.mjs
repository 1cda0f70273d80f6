import { ConnectionRegistry } from 'hydrant';
import { instrument, instrumentFactory } from 'hydrant/otel';

/**
 * An instrumented registry: the factory's calls in spans, uses and webhooks in spans, metrics of everything. Register
 * the SDK's providers before this is called, or hand them in.
 *
 * @template {import('hydrant').ConnectionRecord} R
 * @template {object} I
 * @param {{ store: import('hydrant').ConnectionStore<R>, factory: import('hydrant').InstanceFactory<R, I>, name: string,
 *   tracer?: import('@opentelemetry/api').Tracer, meter?: import('@opentelemetry/api').Meter }} options
 */
export function createInstrumented({ store, factory, name, tracer, meter }) {
  const registry = new ConnectionRegistry({ store, factory: instrumentFactory(factory, { tracer }) });
  const connections = instrument(registry, { name, tracer, meter });
  // Telemetry does not count as a listener, so failures without a listener are still written to the console.
  registry.on('hydrationFailed', ({ id, error, failures, retryAfterMs }) => {
    console.error(`${id}: ${error.code}, attempt ${failures}, the next in ${Math.round(retryAfterMs)} ms`);
  });
  return { registry, connections };
}

import { context, metrics, trace, type Attributes, type Meter, type Tracer } from '@opentelemetry/api';
import { MAX_ID_LENGTH } from '../ids.js';
import { systemClock } from '../clock.js';
import type { RegistryEvents } from '../events.js';
import type { AcquireOptions, Connections } from '../connections.js';
import { DIRECT, directDelivery, type DirectDelivery } from '../messages/direct.js';
import type { Lease } from '../slot/lease.js';
import type { RegistrySnapshot } from '../snapshot.js';
import type { WebhookHandler } from '../webhook/handle-webhook.js';
import { ATTRIBUTE, DURATION_BUCKETS, SCOPE, SPAN } from './names.js';
import { observeRegistry } from './registry-metrics.js';
import { errorType, inSpan, linkHydrate } from './spans.js';

/** The part of a `ConnectionRegistry` that is instrumented. */
export interface InstrumentedRegistry<R, I> extends Connections<R, I> {
  tryAcquire(id: string): Lease<R, I> | undefined;
  readonly handleWebhook: WebhookHandler;
  snapshot(): RegistrySnapshot;
  on<E extends keyof RegistryEvents>(event: E, listener: (payload: RegistryEvents[E]) => void): () => void;
}

/** Options of {@link instrument}. */
export interface Telemetry {
  /** Default: the global provider's. Register the provider first, because a meter made before it records nothing. */
  readonly meter?: Meter | undefined;
  /** Default: the global provider's. */
  readonly tracer?: Tracer | undefined;
  /** Tells the registries of one process apart: the metric attribute `hydrant.registry.name`. */
  readonly name?: string | undefined;
}

/** The result of {@link instrument}. Use it instead of the registry. */
export interface Instrumented<R, I> extends Connections<R, I>, Disposable {
  tryAcquire(id: string): Lease<R, I> | undefined;
  readonly handleWebhook: WebhookHandler;
  /** Ends the metrics. Leases and functions that were handed out still work. */
  stop(): void;
}

/** Ids come from strangers, so they are cut. The registry refuses longer ones anyway. */
const aboutId = (id: string): Attributes => ({ [ATTRIBUTE.id]: typeof id === 'string' ? id.slice(0, MAX_ID_LENGTH) : undefined });

const seconds = (since: number): number => (systemClock.monotonic() - since) / 1000;

/**
 * Measures a registry. Metrics are recorded from now on. Use the returned object instead of the registry, because it makes
 * spans for uses and webhooks. `instrumentFactory` makes those of hydrates and disposes.
 *
 * It does not count as a listener: failures without other listeners are still written to the console.
 *
 * @example
 * const registry = new ConnectionRegistry({ store, factory: instrumentFactory(factory) });
 * const connections = instrument(registry);
 * app.all('/webhooks/:connectionId', expressWebhook(connections));
 */
export function instrument<R extends object, I>(
  registry: InstrumentedRegistry<R, I>,
  options: Telemetry = {},
): Instrumented<R, I> {
  const meter = options.meter ?? metrics.getMeter(SCOPE);
  const tracer = options.tracer ?? trace.getTracer(SCOPE);
  const common: Attributes = options.name === undefined ? {} : { [ATTRIBUTE.registry]: options.name };
  const stop = observeRegistry(registry, meter, common);
  const histogram = (name: string, description: string) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: [...DURATION_BUCKETS] } });
  const waitTime = histogram('hydrant.use.wait_time', 'How long uses wait for their lease');
  const useTime = histogram('hydrant.use.duration', 'How long each use takes');

  const failing = (error: unknown): Attributes => ({ ...common, [ATTRIBUTE.errorType]: errorType(error) });

  function use<T>(
    id: string,
    work: (instance: I, lease: Lease<R, I>) => T | Promise<T>,
    acquireOptions?: AcquireOptions,
  ): Promise<T> {
    const since = systemClock.monotonic();
    return inSpan(tracer, SPAN.use, aboutId(id), context.active(), async (span) => {
      const own = context.active();
      let usedSince: number | undefined;
      try {
        const result = await registry.use(
          id,
          (instance, lease) => {
            usedSince = systemClock.monotonic();
            waitTime.record(seconds(since), common);
            span.setAttribute(ATTRIBUTE.cold, linkHydrate(span, lease.record, since));
            // The lease may have been brought in another context.
            return context.with(own, () => work(instance, lease));
          },
          acquireOptions,
        );
        useTime.record(seconds(usedSince ?? since), common);
        return result;
      } catch (error) {
        if (usedSince === undefined) waitTime.record(seconds(since), failing(error));
        else useTime.record(seconds(usedSince), failing(error));
        throw error;
      }
    });
  }

  function acquire(id: string, acquireOptions?: AcquireOptions): Promise<Lease<R, I>> {
    const since = systemClock.monotonic();
    return inSpan(tracer, SPAN.acquire, aboutId(id), context.active(), async (span) => {
      try {
        const lease = await registry.acquire(id, acquireOptions);
        waitTime.record(seconds(since), common);
        span.setAttribute(ATTRIBUTE.cold, linkHydrate(span, lease.record, since));
        return lease;
      } catch (error) {
        waitTime.record(seconds(since), failing(error));
        throw error;
      }
    });
  }

  function inWebhookSpan<T>(id: string, deliver: () => Promise<T>, responseOf: (delivered: T) => Response): Promise<T> {
    return inSpan(tracer, SPAN.webhook, aboutId(id), context.active(), async (span) => {
      const delivered = await deliver();
      span.setAttribute(ATTRIBUTE.status, responseOf(delivered).status);
      return delivered;
    });
  }

  const handleWebhook: WebhookHandler = (id, request, host) =>
    inWebhookSpan(id, () => registry.handleWebhook(id, request, host), (response) => response);
  // So that adapters keep to the registry's limits.
  const direct = directDelivery(registry.handleWebhook);
  if (direct !== undefined) {
    const deliver: DirectDelivery['deliver'] = (id, head, body) =>
      inWebhookSpan(id, () => direct.deliver(id, head, body), ({ response }) => response);
    Object.defineProperty(handleWebhook, DIRECT, { value: { ...direct, deliver } });
  }

  return { use, acquire, tryAcquire: (id) => registry.tryAcquire(id), handleWebhook, stop, [Symbol.dispose]: stop };
}

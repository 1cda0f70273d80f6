import { trace, type Attributes, type Tracer } from '@opentelemetry/api';
import { compose, factoriesWithin, factoryFor } from '../composite-factory.js';
import type { InstanceFactory } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import { isThenable } from '../thenable.js';
import { ATTRIBUTE, SCOPE, SPAN } from './names.js';
import { inOwnTrace, noteHydrate } from './spans.js';

/** Options of {@link instrumentFactory}. */
export interface FactoryTelemetry {
  /** Default: the global provider's. */
  readonly tracer?: Tracer | undefined;
}

/**
 * A factory whose `create` and `dispose` run in spans, `hydrant.hydrate` and `hydrant.dispose`, so that the calls
 * they make appear beneath them. Each is a trace of its own, because many uses share a hydrate. A use that waited for one
 * links to it. Factories of `factoryByPlatform` are accepted too. Spans hold ids and versions, never record contents, messages
 * or stacks of errors.
 *
 * @example
 * const registry = new ConnectionRegistry({ store, factory: instrumentFactory(factory) });
 */
export function instrumentFactory<R extends ConnectionRecord, I, S>(
  factory: InstanceFactory<R, I, S>, options: FactoryTelemetry = {},
): InstanceFactory<R, I, S> {
  const tracer = options.tracer ?? trace.getTracer(SCOPE);
  const wrapped = new Map<InstanceFactory<any, any>, InstanceFactory<any, any>>();
  // Each part once: the registry counts a platform's permits by the identity of its factory.
  const wrap = (part: InstanceFactory<any, any>): InstanceFactory<any, any> => {
    const known = wrapped.get(part) ?? traced(part, tracer);
    wrapped.set(part, known);
    return known;
  };
  const parts = factoriesWithin(factory);
  if (parts[0] === factory) return wrap(factory);
  return compose({ parts: parts.map(wrap), choose: (record) => wrap(factoryFor(factory, record as R)) });
}

const about = ({ id, version }: ConnectionRecord): Attributes => ({ [ATTRIBUTE.id]: id, [ATTRIBUTE.version]: String(version) });

type DisposeContext = Parameters<NonNullable<InstanceFactory<any, any>['dispose']>>[1];

const bound = <M>(factory: InstanceFactory<any, any>, member: M): M =>
  (typeof member === 'function' ? member.bind(factory) : member) as M;

/** Members are called on the factory itself, which may be an instance of a class with private fields. */
function traced(factory: InstanceFactory<any, any>, tracer: Tracer): InstanceFactory<any, any> {
  const { acknowledge, dispose, maxConcurrentHydrations, replacement, respondToFailure, secrets } = factory;
  const webhooks = factory.handleWebhook !== undefined
    ? { handleWebhook: factory.handleWebhook.bind(factory), authenticate: bound(factory, factory.authenticate) }
    : factory.authenticate === undefined ? {} : { authenticate: bound(factory, factory.authenticate) };
  return {
    create: (record: ConnectionRecord, context) => inOwnTrace(tracer, SPAN.hydrate, about(record), (span) => {
      const ended = noteHydrate(record, span);
      const instance = factory.create(record, context);
      // The promise is awaited once, because a lazy query runs again each time.
      if (isThenable(instance)) return Promise.resolve(instance).finally(ended);
      ended();
      return instance;
    }),
    ...(dispose === undefined ? {} : {
      dispose: (instance: unknown, context: DisposeContext) => inOwnTrace(
        tracer, SPAN.dispose, { ...about(context.record), [ATTRIBUTE.disposeReason]: context.reason },
        () => dispose.call(factory, instance, context),
      ),
    }),
    ...(secrets === undefined ? {} : { secrets: secrets.bind(factory) }),
    ...webhooks,
    ...(acknowledge === undefined ? {} : { acknowledge }),
    ...(respondToFailure === undefined ? {} : { respondToFailure: respondToFailure.bind(factory) }),
    ...(replacement === undefined ? {} : { replacement }),
    ...(maxConcurrentHydrations === undefined ? {} : { maxConcurrentHydrations }),
  };
}

import {
  context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace,
  type Attributes, type Context, type Span, type SpanContext, type Tracer,
} from '@opentelemetry/api';
import { systemClock } from '../clock.js';
import { isConnectionError } from '../errors.js';
import { isThenable } from '../thenable.js';
import { ATTRIBUTE } from './names.js';

/** The hydrate of each record. The record itself is the key, so that nothing has to be cleaned up. */
const hydrates = new WeakMap<object, { readonly span: SpanContext; endedAt: number }>();

/** The kind of a failure, without its message or cause, because those may hold the contents of rows. */
export function errorType(error: unknown): string {
  if (isConnectionError(error)) return error.code;
  return error instanceof Error ? error.name : '_OTHER';
}

export function failed(span: Span, error: unknown): void {
  span.setAttribute(ATTRIBUTE.errorType, errorType(error)).setStatus({ code: SpanStatusCode.ERROR });
}

/** Runs `work` in a span that ends when `work` has settled. A synchronous result is returned synchronously. */
export function inSpan<T>(tracer: Tracer, name: string, attributes: Attributes, parent: Context, work: (span: Span) => T): T {
  const span = tracer.startSpan(name, { kind: SpanKind.INTERNAL, attributes }, parent);
  const end = (error?: { readonly cause: unknown }): void => {
    if (error !== undefined) failed(span, error.cause);
    span.end();
  };
  let result: T;
  let pending: PromiseLike<unknown> | undefined;
  try {
    result = context.with(trace.setSpan(parent, span), () => work(span));
    // Inside the try, because a proxy may throw when it is asked for `then`.
    if (isThenable(result)) pending = result;
  } catch (cause) {
    end({ cause });
    throw cause;
  }
  if (pending === undefined) {
    end();
    return result;
  }
  return Promise.resolve(pending).then(
    (value) => { end(); return value; },
    (cause: unknown) => { end({ cause }); throw cause; },
  ) as T;
}

/**
 * Runs a factory call in a trace of its own, because many uses share it. In the context of the first one it would count
 * as that use's work.
 */
export function inOwnTrace<T>(tracer: Tracer, name: string, attributes: Attributes, work: (span: Span) => T): T {
  return inSpan(tracer, name, attributes, ROOT_CONTEXT, work);
}

/** Remembers the hydrate of a record, so that uses that waited can link to it. */
export function noteHydrate(record: object, span: Span): () => void {
  const hydrate = { span: span.spanContext(), endedAt: Infinity };
  hydrates.set(record, hydrate);
  return () => { hydrate.endedAt = systemClock.monotonic(); };
}

/** Links a span to the hydrate it has waited for, if it has. Returns whether it has. */
export function linkHydrate(span: Span, record: object, since: number): boolean {
  const hydrate = hydrates.get(record);
  if (hydrate === undefined || hydrate.endedAt < since) return false;
  span.addLink({ context: hydrate.span });
  return true;
}

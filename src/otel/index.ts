/**
 * Spans and metrics over OpenTelemetry's API.
 *
 * @module hydrant/otel
 */

export { instrument } from './instrument.js';
export { instrumentFactory } from './factory.js';
export { instrumentRunner } from './runner-metrics.js';
export type { Instrumented, InstrumentedRegistry, Telemetry } from './instrument.js';
export type { FactoryTelemetry } from './factory.js';
export type { InstrumentedRunner } from './runner-metrics.js';

/**
 * A manual clock, a scripted store, a recording factory, and conformance suites for stores and claims.
 *
 * @module hydrant/testing
 */

export type { Behaviour } from './behaviour.js';
export { ManualClock, settle } from './manual-clock.js';
export { RecordingFactory, type RecordedEvent, type RecordedInstance } from './recording-factory.js';
export { ScriptedStore, type ReadBehaviour, type ScriptedRead, type ScriptedStoreOptions } from './scripted-store.js';
export { storeConformance, type StoreCapabilities, type StoreUnderTest, type TestRunner } from './store-conformance.js';
export { claimConformance, type ClaimCapabilities, type ClaimStoreSettings, type ClaimsUnderTest } from './claim-conformance.js';
export { factoryConformance, type FactoryCapabilities, type FactoryUnderTest, type FarSideMode } from './factory-conformance.js';

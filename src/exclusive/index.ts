/**
 * Transports that only one replica at a time may run.
 *
 * @module hydrant/exclusive
 */

export { ExclusiveRunner } from './runner.js';
export type { ExclusiveRunnerOptions, ListedConnection, RunnerRegistry } from './options.js';
export type { ProvisionContext, Tenure } from './tenure.js';
export type { RunnerEvents, TenureEnd } from './events.js';
export type { HoldingSnapshot, RunnerSnapshot } from './snapshot.js';
export {
  MemoryClaims,
  MemoryClaimServer,
  type ClaimCall,
  type Intercept,
  type MemoryClaimServerOptions,
} from './claims/memory.js';
export type {
  Claim,
  ClaimCallOptions,
  ClaimHint,
  ClaimRequest,
  ClaimStore,
  HeldClaim,
  Member,
  Offer,
  ReleasedClaim,
  ReleaseRequest,
  RenewRequest,
  RenewResult,
} from './claims/contract.js';

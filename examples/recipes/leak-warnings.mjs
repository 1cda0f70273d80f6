/**
 * Leak warnings: connections that have been leased for so long without a pause that a lease was probably forgotten. A busy
 * connection can look the same, because its leases overlap. A leak never goes away.
 *
 * @param {{ snapshot(): import('hydrant').RegistrySnapshot }} registry
 * @param {{ longerThanMs: number }} options
 */
export function suspectedLeaks(registry, { longerThanMs }) {
  return registry.snapshot().connections
    .filter(({ leasedForMs = 0 }) => leasedForMs > longerThanMs)
    .map(({ id, leases, leasedForMs }) => ({ id, leases, leasedForMs }));
}

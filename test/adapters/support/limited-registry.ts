import { ConnectionRegistry, type ConnectionError } from 'hydrant';
import { afterEach } from 'vitest';

type Handler = Pick<ConnectionRegistry<any, any>, 'handleWebhook'>;

const open: ConnectionRegistry<any, any>[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((registry) => registry.close()));
});

/** A real registry that reads bodies up to a limit and hands every request on. It knows every id. */
export function limitedTo(
  maxBodyBytes: number,
  { handleWebhook }: Handler,
  respondToFailure?: (failure: ConnectionError) => Promise<Response>,
): Handler {
  const registry = new ConnectionRegistry({
    store: { get: async (id) => ({ id, version: 1, status: 'active' as const }) },
    factory: {
      create: ({ id }) => id,
      authenticate: 'in-handler',
      handleWebhook: (id, request) => handleWebhook(id, request),
      ...(respondToFailure !== undefined && { respondToFailure }),
    },
    webhook: { maxBodyBytes },
  });
  registry.on('webhookFailed', () => {});
  open.push(registry);
  return registry;
}

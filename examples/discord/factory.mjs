import { InteractionResponseType, InteractionType, verifyKey } from 'discord-interactions';

/** Discord shows it until the answer replaces it. */
const thinking = () => Response.json({ type: InteractionResponseType.DEFERRED_CHANNEL_MESSAGE_WITH_SOURCE });

/**
 * Makes an assistant of the row of a customer's Discord application. It answers the application's commands.
 *
 * @typedef {import('hydrant').ConnectionRecord & { applicationId: string, publicKey: string }} DiscordRow
 *
 * @typedef {object} Surroundings
 * @property {(id: string, options: { signal: AbortSignal }) => Promise<(question: string) => Promise<string>>} prepare
 *   makes the customer's assistant ready: the slow part of a cold start
 * @property {string | undefined} [apiUrl] Discord's own by default
 *
 * @param {Surroundings} surroundings
 */
export function discordFactory({ prepare, apiUrl = 'https://discord.com/api/v10' }) {
  /** Replaces “thinking …”. @param {string} token @param {string} content @param {DiscordRow} record */
  async function edit(token, content, { applicationId }) {
    const response = await fetch(`${apiUrl}/webhooks/${applicationId}/${token}/messages/@original`, {
      method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ content }),
    });
    if (!response.ok) throw new Error(`Discord answered ${response.status}`);
  }
  /** @param {DiscordRow} record @param {import('hydrant').HydrationContext} context */
  const create = ({ id }, { signal }) => prepare(id, { signal });

  /** @satisfies {import('hydrant').InstanceFactory<DiscordRow, Awaited<ReturnType<typeof create>>>} */
  const factory = {
    create,

    // Ed25519 over the timestamp and the bytes. Discord probes with bad signatures, and removes a URL that does not answer
    // them with 401. So neither this nor PING may depend on an instance that may not start.
    async authenticate(request, { record }) {
      const { headers } = request;
      const bytes = new Uint8Array(await request.arrayBuffer());
      const isSigned = await verifyKey(
        bytes,
        headers.get('x-signature-ed25519') ?? '',
        headers.get('x-signature-timestamp') ?? '',
        record.publicKey,
      );
      if (!isSigned) return false;
      const { type } = JSON.parse(new TextDecoder().decode(bytes));
      return type === InteractionType.PING ? Response.json({ type: InteractionResponseType.PONG }) : true;
    },

    // Discord waits three seconds. Answer “thinking …” at once, and replace it by the answer later. If the connection was
    // cold, `acknowledge` has answered the same, and this response is dropped.
    async handleWebhook(assistant, request, { record, waitUntil }) {
      const { token, data } = await request.json();
      const work = async () => {
        const answer = await assistant(data.options?.[0]?.value ?? '').catch(() => 'I could not answer that.');
        await edit(token, answer, record);
      };
      waitUntil(work());
      return thinking();
    },
    acknowledge: { afterMs: 2_000, respond: thinking },

    async respondToFailure(failure, request, { record, acknowledged }) {
      if (acknowledged && record !== undefined) {
        const { token } = await request.json();
        await edit(token, `I could not start (${failure.code}).`, record);
      }
      return undefined;
    },
  };
  return factory;
}

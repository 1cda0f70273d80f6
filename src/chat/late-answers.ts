import type { FailureContext, InstanceFactory, WebhookContext } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';
import { platformOf, readPayload, typeOf } from './platforms.js';

/**
 * Slack and Discord give up after 3 s; the rest of the time is for the network.
 * https://docs.slack.dev/interactivity/slash-commands, https://docs.discord.com/developers/interactions/receiving-and-responding
 */
const ACKNOWLEDGE_AFTER_MS = 2_000;

/** Slack's hosts for late answers. A customer signs with a secret of their own, so the URL could be any. */
const SLACK_RESPONSE_HOSTS: ReadonlySet<string> = new Set(['hooks.slack.com', 'hooks.slack-gov.com']);

/** Discord: "the answer comes later", for a command and for a click on a component. */
const DEFERRED: ReadonlyMap<unknown, number> = new Map([[2, 5], [3, 6]]);

/**
 * Answers deliveries in time that the platform never repeats: Slack's slash commands and button clicks, Discord's
 * interactions. Other deliveries are left to the platform's own retries, so a failure is never answered with 200.
 *
 * @param answerOf - the answer of the adapter that has verified a delivery of Discord. It alone knows who may see a command's
 * answer, and Discord decides that by the first response
 */
export function acknowledgeWith<R>(
  answerOf: (request: Request, record: R) => Promise<Response | undefined>,
): NonNullable<InstanceFactory<R, unknown>['acknowledge']> {
  return {
    afterMs: ACKNOWLEDGE_AFTER_MS,
    async respond(request, { record }) {
      const platform = platformOf(request);
      if (platform === 'slack') return await responseUrlOf(request) === undefined ? undefined : new Response();
      if (platform !== 'discord') return undefined;
      const deferred = DEFERRED.get(await typeOf(request));
      return deferred === undefined ? undefined : await answerOf(request, record) ?? Response.json({ type: deferred });
    },
  };
}

/** Tells the user, in the conversation, that a delivery failed after it had been acknowledged. */
export class LateFailures<R extends ConnectionRecord> {
  readonly #fetch: typeof fetch;
  readonly #textOf: (failure: ConnectionError, record: R | undefined) => string;

  constructor(textOf: (failure: ConnectionError, record: R | undefined) => string, fetchWith: typeof fetch) {
    this.#textOf = textOf;
    this.#fetch = fetchWith;
  }

  async report(
    failure: ConnectionError,
    request: Request,
    { acknowledged, record, signal }: FailureContext<R>,
  ): Promise<undefined> {
    if (!acknowledged) return;
    const text = this.#textOf(failure, record);
    if (platformOf(request) === 'discord') await this.#editDiscordAnswer(request, text, signal);
    else await this.#answerSlack(request, text, signal);
  }

  /**
   * Wraps the work that a handler leaves behind. The SDK answers at once and runs the application's handlers afterwards,
   * so that is where most failures happen. The user hears of the first of a delivery.
   */
  after(request: Request, { record, signal }: WebhookContext<R>): (work: Promise<unknown>) => Promise<unknown> {
    // Discord's answer may be there already, and would be replaced.
    if (platformOf(request) !== 'slack') return (work) => work;
    const copy = request.clone();
    let told: Promise<unknown> | undefined;
    return (work) => work.catch(async (cause: unknown) => {
      const message = `A handler of connection '${record.id}' failed`;
      const failure = new ConnectionError('HANDLER_FAILED', message, { connectionId: record.id, cause });
      await (told ??= this.report(failure, copy, { acknowledged: true, record, signal })).catch((error: unknown) => {
        throw new AggregateError([cause, error], `${message}, and its user could not be told`);
      });
      throw cause;
    });
  }

  async #answerSlack(request: Request, text: string, signal: AbortSignal): Promise<void> {
    const url = await responseUrlOf(request);
    if (url === undefined) return;
    await this.#send('POST', url, { response_type: 'ephemeral', replace_original: false, text }, signal);
  }

  async #editDiscordAnswer(request: Request, text: string, signal: AbortSignal): Promise<void> {
    const payload = await readPayload(request);
    const path = [payload?.['application_id'], payload?.['token']].map((part) => encodeURIComponent(String(part)));
    const url = `https://discord.com/api/v10/webhooks/${path.join('/')}/messages/@original`;
    await this.#send('PATCH', url, { content: text }, signal);
  }

  async #send(method: string, url: string, body: unknown, signal: AbortSignal): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const response = await this.#fetch(url, { method, headers, body: JSON.stringify(body), signal, redirect: 'error' });
    await response.body?.cancel();
  }
}

/** The URL at which Slack takes a late answer to this delivery. */
async function responseUrlOf(request: Request): Promise<string | undefined> {
  const value = (await readPayload(request))?.['response_url'];
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const { protocol, host } = new URL(value);
  return protocol === 'https:' && SLACK_RESPONSE_HOSTS.has(host) ? value : undefined;
}

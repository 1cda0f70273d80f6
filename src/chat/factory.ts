import type { FailureContext, HydrationContext, InstanceFactory, RecordContext, WebhookContext } from '../contracts/factory.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import { aFunction, check, count, describe, expecting, isObject, once, oneOf, optional, shape } from '../checks.js';
import type { ConnectionError } from '../errors.js';
import { whenAborted } from '../when-aborted.js';
import type { ChatAdapter, ChatLike, ChatState, UntypedChat } from './contract.js';
import { withConnection } from './current-connection.js';
import { acknowledgeWith, LateFailures } from './late-answers.js';
import { claim } from './owners.js';
import { PLATFORMS } from './platforms.js';
import { missingMethods, PrefixedState } from './prefixed-state.js';
import { adapterFor, Verification, type Adapters } from './verification.js';

/** The options of {@link chatFactory}. */
export interface ChatFactoryOptions<R extends ConnectionRecord, C extends ChatLike, S> {
  /**
   * Shared by all connections. Each sees only its own keys. hydrant never disconnects it, so close its client yourself. Give
   * each registry a state of its own if their ids may be equal, for example with another key prefix.
   */
  readonly state: ChatState;
  /**
   * Makes new adapters for a row. It is also called to verify signatures, so it must only construct them. An adapter that
   * serves another connection, or verifies, is refused. Throw if a secret is missing from the row, because the SDK would
   * take it from the environment.
   */
  adapters(record: R, context: { readonly secrets: S }): Awaitable<Adapters>;
  /** Registers the handlers of a new instance, before it is initialized. */
  setup?(chat: C, record: R, context: { readonly secrets: S }): Awaitable<void>;
  /** Resolves the secrets that the row refers to. */
  readonly secrets?: (record: R, context: { readonly signal: AbortSignal }) => Awaitable<S>;
  /** More of the SDK's configuration. Default `{ userName: 'bot', logger: 'warn' }`. */
  config?(record: R, context: { readonly secrets: S }): Readonly<Record<string, unknown>>;
  /** The text that a user reads when a command or click fails after it was acknowledged. */
  failureText?(failure: ConnectionError, record: R | undefined): string;
  /** Set `'drain-first'` for adapters that poll or hold a socket, because two instances of one bot disturb each other. */
  readonly replacement?: 'overlap' | 'drain-first';
  /** How many of the registry's permits this factory may hold at a time. */
  readonly maxConcurrentHydrations?: number;
  /** Sends the late answers. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
}

/** The members of the factory that {@link chatFactory} makes. */
export type ChatFactory<R extends ConnectionRecord, C extends ChatLike, S> = InstanceFactory<R, C, S> & {
  readonly authenticate: (request: Request, context: RecordContext<R, S>) => Promise<boolean | Response>;
  readonly handleWebhook: (chat: C, request: Request, context: WebhookContext<R, S>) => Promise<Response>;
};

const DEFAULT_CONFIG = { userName: 'bot', logger: 'warn' };
const DEFAULT_FAILURE_TEXT = (): string => 'Something went wrong. Please try again.';

/**
 * One `Chat` of the [Chat SDK](https://chat-sdk.dev) per connection, over one shared state.
 *
 * Slack, Telegram, Discord, GitHub, WhatsApp, Google Chat and Linear deliveries are verified, and their challenges
 * answered, before anything is hydrated. Teams needs a `webhookVerifier` for that. Without one it verifies inside its handler,
 * so a forged delivery hydrates it. So does an adapter of your own, unless you spread the factory and set `authenticate`.
 * Annotate `record` and, for the SDK's types, `chat`.
 *
 * @example
 * const factory = chatFactory({
 *   state: createRedisState({ client }),
 *   adapters: (record: Row) => ({ slack: createSlackAdapter(record) }),
 *   setup: (chat: Chat) => { chat.onNewMention((thread) => thread.post('hello')); },
 * });
 * @throws ConnectionError `INVALID_OPTIONS`, naming every wrong option
 */
export function chatFactory<R extends ConnectionRecord, C extends ChatLike = UntypedChat, S = undefined>(
  options: ChatFactoryOptions<R, C, S>,
): ChatFactory<R, C, S> {
  check('chatFactory', optionsCheck(), options);
  const { state, secrets, replacement, maxConcurrentHydrations } = options;
  const adaptersOf = (record: R, context: { readonly secrets: S }): Awaitable<Adapters> => options.adapters(record, context);
  const verification = new Verification<R, S>(adaptersOf);
  const failures = new LateFailures<R>(
    options.failureText ?? DEFAULT_FAILURE_TEXT,
    options.fetch ?? ((url, init) => fetch(url, init)),
  );
  const adaptersIn = new WeakMap<C, Adapters>();

  async function create(record: R, context: HydrationContext<S>): Promise<C> {
    const { Chat } = await import('chat') as unknown as { Chat: new (config: object) => C };
    const adapters = await adaptersOf(record, context);
    for (const adapter of Object.values(adapters)) claim(adapter, { factory: verification, name: `connection '${record.id}'` });
    const failed = new AbortController();
    for (const adapter of Object.values(adapters)) stopIfLate(adapter, failed.signal);
    const own = new PrefixedState(state, record.id);
    const chat = new Chat({ ...DEFAULT_CONFIG, ...options.config?.(record, context), state: own, adapters });
    adaptersIn.set(chat, adapters);
    try {
      await options.setup?.(chat, record, context);
      context.signal.throwIfAborted();
      await unlessAborted(withConnection(record, () => chat.initialize()), context.signal);
      checkIdentity(record, Object.values(adapters));
      stopPollingWhen(context.superseded, Object.values(adapters));
      return chat;
    } catch (error) {
      failed.abort(error);
      await stop(chat).catch(() => {});
      throw error;
    }
  }

  /** An adapter that polls may not stop by the SDK's `shutdown`: Telegram's 4.26 does not. */
  async function stop(chat: C): Promise<void> {
    const stopping = Object.values(adaptersIn.get(chat) ?? {}).map(stopPolling);
    const results = await Promise.allSettled([...stopping, chat.shutdown()]);
    const failure = results.find((result) => result.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  }

  return {
    ...(secrets !== undefined && { secrets }),
    ...(replacement !== undefined && { replacement }),
    ...(maxConcurrentHydrations !== undefined && { maxConcurrentHydrations }),
    create,
    dispose: stop,
    authenticate: (request, context) => verification.authenticate(request, context),
    async handleWebhook(chat, request, context) {
      const { record } = context;
      const handler = chat.webhooks[adapterFor(adaptersIn.get(chat) ?? {}, request)?.[0] ?? ''];
      if (handler === undefined) throw new Error(`connection '${record.id}' has no adapter for this delivery`);
      const tellingUser = failures.after(request, context);
      const waitUntil = (work: Promise<unknown>): void => context.waitUntil(tellingUser(work));
      return withConnection(record, () => handler(request, { waitUntil, propagateHandlerErrors: true }));
    },
    acknowledge: acknowledgeWith((request, record) => verification.answerOf(request, record)),
    respondToFailure: (failure: ConnectionError, request: Request, context: FailureContext<R>) =>
      failures.report(failure, request, context),
  };
}

const optionsCheck = once(() =>
  shape('options', {
    state: expecting(
      'a state adapter of the Chat SDK',
      (value) => isObject(value) && missingMethods(value).length === 0,
      withoutMethods,
    ),
    adapters: aFunction(),
    setup: optional(aFunction()),
    secrets: optional(aFunction()),
    config: optional(aFunction()),
    failureText: optional(aFunction()),
    fetch: optional(aFunction()),
    replacement: optional(oneOf('overlap', 'drain-first')),
    maxConcurrentHydrations: optional(count(1)),
  }),
);

function withoutMethods(value: unknown): string {
  return isObject(value) ? `an object without ${missingMethods(value).join(', ')}` : describe(value);
}

/** The SDK only logs that a platform refused its token, and then answers 200 to messages that it ignores. */
function checkIdentity({ id }: ConnectionRecord, adapters: readonly ChatAdapter[]): void {
  const nameless = adapters.find(isNameless);
  if (nameless !== undefined)
    throw new Error(`${nameless.name} did not identify the bot of connection '${id}': it is unreachable, or refuses the token`);
}

/** Whether an adapter that asks for its identity when it starts did not get it. */
function isNameless(adapter: ChatAdapter & { isMultiTenantMode?(): boolean }): boolean {
  if (!PLATFORMS.get(adapter.name)?.asksForIdentity) return false;
  try {
    return adapter.isMultiTenantMode?.() !== true && adapter.botUserId === undefined;
  } catch {
    // Linear's getter throws until it knows.
    return true;
  }
}

/** Async, so that an adapter that throws rejects. */
async function stopPolling(adapter: ChatAdapter): Promise<void> {
  await adapter.stopPolling?.();
}

/** The `initialize` of an adapter before it was wrapped, because an application may keep adapters for later instances. */
const ORIGINAL = new WeakMap<ChatAdapter, ChatAdapter['initialize']>();

/** Stops an adapter that begins to poll late: its start was aborted, or failed because of another adapter, and went on. */
function stopIfLate(adapter: ChatAdapter, failed: AbortSignal): void {
  if (!ORIGINAL.has(adapter)) ORIGINAL.set(adapter, adapter.initialize);
  const initialize = ORIGINAL.get(adapter);
  adapter.initialize = async (chat) => {
    failed.throwIfAborted();
    await initialize?.call(adapter, chat);
    if (failed.aborted) await Promise.allSettled([stopPolling(adapter), adapter.disconnect?.()]);
  };
}

/** Stops events of a replaced instance, because its successor handles them too. It may be replaced while it starts. */
function stopPollingWhen(superseded: AbortSignal, adapters: readonly ChatAdapter[]): void {
  const stop = (): void => void Promise.allSettled(adapters.map(stopPolling));
  if (superseded.aborted) stop();
  else whenAborted(superseded, stop);
}

/** The SDK's `initialize` takes no signal, and may retry for minutes. */
function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(whenAborted(signal, abort));
  });
}

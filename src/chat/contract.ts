import type { Awaitable } from '../contracts/record.js';

/** A lock on a thread, as the Chat SDK defines it. */
export interface ChatLock {
  readonly threadId: string;
  readonly token: string;
  readonly expiresAt: number;
}

/** The Chat SDK's `StateAdapter`, by shape: subscriptions, locks, queues, lists and cached values. */
export interface ChatState {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  subscribe(threadId: string): Promise<void>;
  unsubscribe(threadId: string): Promise<void>;
  isSubscribed(threadId: string): Promise<boolean>;
  acquireLock(threadId: string, ttlMs: number): Promise<ChatLock | null>;
  extendLock(lock: ChatLock, ttlMs: number): Promise<boolean>;
  releaseLock(lock: ChatLock): Promise<void>;
  forceReleaseLock(threadId: string): Promise<void>;
  enqueue(threadId: string, entry: any, maxSize: number): Promise<number>;
  dequeue(threadId: string): Promise<any>;
  queueDepth(threadId: string): Promise<number>;
  get<T = unknown>(key: string): Promise<T | null>;
  set<T = unknown>(key: string, value: T, ttlMs?: number): Promise<void>;
  setIfNotExists(key: string, value: unknown, ttlMs?: number): Promise<boolean>;
  delete(key: string): Promise<void>;
  appendToList(key: string, value: unknown, options?: { maxLength?: number; ttlMs?: number }): Promise<void>;
  getList<T = unknown>(key: string): Promise<T[]>;
}

/** The options that the Chat SDK passes to a webhook. */
export interface ChatWebhookOptions {
  waitUntil?: (task: Promise<unknown>) => void;
  /** Tasks passed to `waitUntil` reject if a handler fails. Otherwise the SDK only logs it. */
  propagateHandlerErrors?: boolean;
}

/** The part of a Chat SDK adapter that is used here, by shape. */
export interface ChatAdapter {
  readonly name: string;
  readonly botUserId?: string | undefined;
  initialize?(chat: any): Promise<void>;
  handleWebhook(request: Request, options?: ChatWebhookOptions): Promise<Response>;
  disconnect?(): Awaitable<void>;
  /** Only adapters that can poll have it. */
  stopPolling?(): Awaitable<void>;
}

/** The part of a `Chat` that is used here, by shape. */
export interface ChatLike {
  readonly webhooks: Readonly<Record<string, (request: Request, options?: ChatWebhookOptions) => Promise<Response>>>;
  initialize(): Promise<void>;
  shutdown(): Promise<void>;
}

/** A method that takes a handler, alone or after a filter (a pattern, ids, names). Nothing is typed here. */
export interface UntypedSubscription {
  (handler: (...event: any[]) => unknown): void;
  (filter: any, handler: (...event: any[]) => unknown): void;
}

/**
 * A `Chat` whose event methods take handlers of any kind. Annotate the first parameter of `setup`
 * (`(chat: Chat, record) => …`) to get the SDK's own types, and the rest of its methods, instead.
 */
export interface UntypedChat extends ChatLike {
  readonly onNewMention: UntypedSubscription;
  readonly onDirectMessage: UntypedSubscription;
  readonly onNewMessage: UntypedSubscription;
  readonly onSubscribedMessage: UntypedSubscription;
  readonly onReaction: UntypedSubscription;
  readonly onAction: UntypedSubscription;
  readonly onSlashCommand: UntypedSubscription;
  readonly onModalSubmit: UntypedSubscription;
  openDM(user: any): Promise<any>;
  channel(id: string): any;
}

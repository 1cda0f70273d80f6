/** A message a bot has posted. */
export interface Message { readonly token: string; readonly channel: string; readonly text: string }

/** A Slack Web API on loopback that counts what it is asked. */
export interface FakeSlackApi {
  /** The value for a client's `apiUrl` or `SLACK_API_URL`. */
  readonly url: string;
  /** Calls by method. */
  readonly calls: Map<string, number>;
  readonly messages: Message[];
  reset(): void;
  /** How many connections clients hold open. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** @param options.latencyMs - how long each call takes; the real one takes 50 to 300 ms */
export declare function startFakeSlackApi(options?: { latencyMs?: number }): Promise<FakeSlackApi>;

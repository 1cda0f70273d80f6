/** One call of a bot. */
export interface Call { readonly token: string; readonly method: string; readonly parameters: any }

/** A Telegram Bot API on loopback: bots whose token ends in `:good` exist. */
export declare function startFakeTelegramApi(): Promise<{
  url: string;
  calls: Call[];
  /** Forgets the calls. */
  reset: () => void;
  connections: () => Promise<number>;
  close: () => Promise<void>;
}>;

/** A message as Telegram sends it: what `fetch` takes. */
export declare function telegramMessage(message: { secretToken: string; text: string; chat?: number }):
  { method: 'POST'; headers: Record<string, string>; body: string };

import { settle } from 'hydrant/testing';

export const RESPONSE_URL = 'https://hooks.slack.com/commands/T1/1/x';
export const DEFAULT_TEXT = 'Something went wrong. Please try again.';

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly contentType: string | null;
  readonly body: unknown;
}

/** Takes late answers in place of the platform. */
export function recordingFetch(answer: () => Promise<Response> = async () => new Response()) {
  const sent: Sent[] = [];
  const redirects: (string | undefined)[] = [];
  const take = async (url: unknown, { method = 'GET', headers, body, redirect }: RequestInit = {}): Promise<Response> => {
    const contentType = new Headers(headers).get('content-type');
    sent.push({ method, url: String(url), contentType, body: JSON.parse(String(body)) });
    redirects.push(redirect);
    return answer();
  };
  return { sent, redirects, fetch: take as typeof fetch };
}

/** The answer that only the user of a slash command or click sees. */
export const toSlack = (text = DEFAULT_TEXT, url = RESPONSE_URL): Sent => ({
  method: 'POST', url, contentType: 'application/json', body: { response_type: 'ephemeral', replace_original: false, text },
});

/** Lets real input and output of the SDK end, which no clock of ours moves. A busy machine may need seconds for it. */
export async function until(condition: () => boolean, turns = Infinity): Promise<void> {
  const deadline = performance.now() + 5_000;
  for (let turn = 0; turn < turns && performance.now() < deadline && !condition(); turn += 1) {
    await settle();
    await new Promise(setImmediate);
  }
}

import { randomUUID } from 'node:crypto';
import { sign } from '@octokit/webhooks-methods';

/**
 * GitHub's signed delivery for an opened issue, as arguments of `fetch`.
 *
 * @param {{ secret: string, number?: number, title?: string }} issue
 */
export async function issueOpened({ secret, number = 1, title = 'It does not work' }) {
  const body = JSON.stringify({ action: 'opened', issue: { number, title } });
  return {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'issues',
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': await sign(secret, body),
    },
    body,
  };
}

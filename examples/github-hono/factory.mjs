import { verifyWithFallback } from '@octokit/webhooks-methods';

/**
 * Makes a bot of the row of a customer's repository. It greets everyone who opens an issue.
 *
 * @typedef {import('hydrant').ConnectionRecord & {
 *   repository: string, token: string, secret: string, previousSecret?: string,
 * }} GitHubRow while a secret is rotated, `previousSecret` is accepted too
 *
 * @typedef {{ id: string, url: string, headers: [string, string][], body: string }} Kept a delivery as it came
 *
 * @param {{
 *   apiUrl?: string | undefined,
 *   keep: (delivery: Kept) => Promise<void>,
 * }} surroundings `keep` stores a delivery for `replay`
 */
export function githubFactory({ apiUrl = 'https://api.github.com', keep }) {
  /** @param {GitHubRow} record @param {import('hydrant').HydrationContext} context */
  async function create({ repository, token }, { signal }) {
    /** @param {string} path @param {RequestInit} [init] */
    const github = async (path, init) => {
      const response = await fetch(`${apiUrl}/repos/${repository}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}` },
      });
      if (!response.ok) throw new Error(`GitHub answered ${response.status}`);
      return response.json();
    };
    const labels = new Set((await github('/labels', { signal })).map((/** @type {{ name: string }} */ { name }) => name));
    return {
      /** @param {number} issue @param {string} title */
      async greet(issue, title) {
        const label = [...labels].find((name) => title.toLowerCase().includes(name));
        const body = label === undefined ? 'Thank you.' : `Thank you. Filed under ${label}.`;
        await github(`/issues/${issue}/comments`, { method: 'POST', body: JSON.stringify({ body }) });
      },
    };
  }

  /** @satisfies {import('hydrant').InstanceFactory<GitHubRow, Awaited<ReturnType<typeof create>>>} */
  const factory = {
    create,
    authenticate: (request, { record }) => isSigned(request, record),

    async handleWebhook(repository, request) {
      const { action, issue } = await request.json();
      if (request.headers.get('x-github-event') === 'issues' && action === 'opened')
        await repository.greet(issue.number, issue.title);
      return new Response(null, { status: 204 });
    },

    // GitHub waits ten seconds.
    acknowledge: { afterMs: 8_000, respond: () => new Response(null, { status: 202 }) },

    // GitHub sends nothing again by itself. A delivery that cannot be served now is kept, and replayed later.
    async respondToFailure(failure, request, { record }) {
      const mayWorkLater = failure.retryable && record !== undefined;
      // A failure may come before the signature was checked, and only GitHub's own deliveries should be kept.
      if (!mayWorkLater || !(await isSigned(request.clone(), record))) return undefined;
      await keep({ id: record.id, url: request.url, headers: [...request.headers], body: await request.text() });
      return new Response(null, { status: 202 });
    },
  };
  return factory;
}

/** @param {Request} request @param {GitHubRow} row */
async function isSigned(request, { secret, previousSecret }) {
  const signature = request.headers.get('x-hub-signature-256');
  if (signature === null) return false;
  return verifyWithFallback(secret, await request.text(), signature, previousSecret === undefined ? [] : [previousSecret]);
}

import { randomUUID } from 'node:crypto';
import { startRecordingServer } from '../support/recording-server.mjs';

/**
 * An OAuth server on loopback whose refresh tokens work once. One that is used twice counts as stolen, and its user is
 * locked out until a new log-in: https://datatracker.ietf.org/doc/html/rfc9700#section-4.14.2
 */
export async function startOAuthServer() {
  /** @type {Map<string, string>} user by current refresh token */
  const current = new Map();
  /** @type {Map<string, string>} user by used refresh token */
  const used = new Map();
  /** @type {Set<string>} */
  const lockedOut = new Set();
  let refreshes = 0;
  /** @param {string} user */
  const issue = (user) => {
    const refresh = randomUUID();
    current.set(refresh, user);
    return { access: `access of ${user} ${randomUUID()}`, refresh };
  };
  const server = await startRecordingServer(({ body }) => {
    const { refresh } = JSON.parse(body);
    const thief = used.get(refresh);
    if (thief !== undefined) lockedOut.add(thief);
    const user = current.get(refresh);
    if (user === undefined || lockedOut.has(user)) return { status: 400, json: { error: 'invalid_grant' } };
    refreshes += 1;
    current.delete(refresh);
    used.set(refresh, user);
    return { json: issue(user) };
  });
  return { url: server.url, issue, lockedOut, refreshes: () => refreshes, close: server.close };
}

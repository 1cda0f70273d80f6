import { startFarSide } from './far-side.js';

/** A Slack Web API on loopback as a far side for the factory suite. */
export async function startVendor() {
  const side = await startFarSide((request, response) => {
    request.resume();
    const ok = request.headers.authorization === 'Bearer xoxb-good';
    const answer = ok
      ? { ok: true, user: 'bot', user_id: 'U1', bot_id: 'B1', channel: 'C1', ts: '1.1', message: { ts: '1.1', text: 'x' } }
      : { ok: false, error: 'invalid_auth' };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  return {
    ...side,
    url: `${side.url}/api/`,
    /** The SDK takes no signal. A call that hangs lasts until the SDK gives up, so it does not count as open. */
    open: () => side.open() - side.hanging(),
  };
}

/** A JSON value of which nothing is known. */
type Json = { readonly [name: string]: Json | undefined } & string;

/** The platform a delivery claims to come from, by the headers that only that platform sends. */
export function platformOf({ method, url, headers }: Request): string | undefined {
  if (headers.has('x-slack-signature') || headers.has('x-slack-socket-token')) return 'slack';
  if (headers.has('x-signature-ed25519') || headers.has('x-discord-gateway-token')) return 'discord';
  if (headers.has('x-telegram-bot-api-secret-token')) return 'telegram';
  if (headers.has('x-github-event')) return 'github';
  if (headers.has('linear-signature')) return 'linear';
  if (headers.has('x-hub-signature-256')) return 'whatsapp';
  if (method === 'GET' && new URL(url).searchParams.has('hub.challenge')) return 'whatsapp';
  return undefined;
}

/** The payload of a delivery: JSON, or Slack's form with a `payload` field or with plain fields. */
export function payloadOf(body: string, contentType: string): Json | undefined {
  try {
    if (!contentType.includes('application/x-www-form-urlencoded')) return asObject(JSON.parse(body));
    const form = new URLSearchParams(body);
    const payload = form.get('payload');
    return asObject(payload === null ? Object.fromEntries(form) : JSON.parse(payload));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null ? value as Json : undefined;
}

/** Reads a copy, so that the request can be read again. */
export async function readPayload(request: Request): Promise<Json | undefined> {
  return payloadOf(await request.clone().text(), request.headers.get('content-type') ?? '');
}

/** The field that names one customer's installation, by platform. Google Chat and Telegram send none. */
const INSTALLATION: Readonly<Record<string, (payload: Json) => unknown>> = {
  // An organisation-wide installation has no team.
  slack: (payload) => payload['team_id'] ?? payload['team']?.['id'] ?? payload['enterprise_id'] ?? payload['enterprise']?.['id'],
  discord: (payload) => payload['application_id'],
  github: (payload) => payload['installation']?.['id'],
  linear: (payload) => payload['organizationId'],
  whatsapp: (payload) => first(first(payload['entry'])?.['changes'])?.['value']?.['metadata']?.['phone_number_id'],
  teams: (payload) => payload['conversation']?.['tenantId'] ?? payload['channelData']?.['tenant']?.['id'],
};

function first(value: unknown): Json | undefined {
  return Array.isArray(value) ? asObject(value[0]) : undefined;
}

/**
 * Finds the connection of a delivery on a URL that all customers of a platform share. Pass it to an adapter as
 * `connectionId`.
 *
 * The id is `platform:` and what the delivery is addressed to: `slack:T123` (workspace), `discord:123` (application),
 * `github:123` (installation), `whatsapp:123` (phone number), `linear:…` (organisation), `teams:…` (tenant). Deliveries
 * that name no customer, such as Slack's `url_verification`, WhatsApp's `hub.challenge` and GitHub's `ping`, get the
 * platform's name alone: store a row of that id with the app's secrets to answer them. `undefined` for platforms whose
 * deliveries do not say whom they are for (Telegram, Google Chat): give each of those connections a URL of its own.
 *
 * The body is not authenticated at this point, so the id is a claim. The row it leads to decides whether the
 * signature is right.
 */
export async function connectionIdOf(request: Request): Promise<string | undefined> {
  const claimed = platformOf(request);
  const payload = request.method === 'GET' ? undefined : await readPayload(request);
  const platform = claimed ?? (payload?.['channelId'] === 'msteams' ? 'teams' : undefined);
  const installation = platform === undefined ? undefined : INSTALLATION[platform];
  if (installation === undefined) return undefined;
  const id = payload === undefined ? undefined : installation(payload);
  return typeof id === 'string' || typeof id === 'number' ? `${platform}:${id}` : platform;
}

/** Whether a delivery asks for nothing but a proof that the URL is served. */
export async function isChallenge(platform: string, request: Request): Promise<boolean> {
  switch (platform) {
    case 'whatsapp': return request.method === 'GET';
    case 'github': return request.headers.get('x-github-event') === 'ping';
    case 'slack': return (await readPayload(request))?.['type'] === 'url_verification';
    case 'discord': return Number((await readPayload(request))?.['type']) === 1;
    default: return false;
  }
}

import type { Awaitable } from '../contracts/record.js';

/** A JSON value of which nothing is known. */
type Json = { readonly [name: string]: Json | undefined } & string;

/** The payload of a delivery: JSON, or Slack's form with a `payload` field or with plain fields. */
function parsePayload(body: string, contentType: string | null): Json | undefined {
  try {
    if (!contentType?.includes('application/x-www-form-urlencoded')) return JSON.parse(body) ?? undefined;
    const form = new URLSearchParams(body);
    const payload = form.get('payload');
    return (payload === null ? Object.fromEntries(form) : JSON.parse(payload)) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Reads a copy, so that the request can be read again. */
export async function readPayload(request: Request): Promise<Json | undefined> {
  return parsePayload(await request.clone().text(), request.headers.get('content-type'));
}

/** The kind of a delivery, as Slack and Discord name it. */
export async function typeOf(request: Request): Promise<unknown> {
  return (await readPayload(request))?.['type'];
}

/**
 * All that differs between platforms. Their adapters verify a delivery before they are initialized, and then ignore it. An
 * adapter that is not in the table verifies in its handler.
 */
interface Platform {
  /** Until it is initialized, its adapter refuses a forged delivery only if it was given a verifier. */
  readonly verifiesInHandler?: true;
  /** Its adapter asks for the bot's identity when it starts, and only logs that it did not get it. */
  readonly asksForIdentity?: true;
  /** Whether a request has what only this platform sends. `null`: there is nothing of that kind. */
  readonly isSender: ((request: Request) => boolean) | null;
  /** The field that names one customer's installation. Without it, a delivery does not say whom it is for. */
  readonly installation?: (payload: Json) => unknown;
  /** Whether a delivery asks for nothing but a proof that the URL is served. */
  readonly isChallenge?: (request: Request) => Awaitable<boolean>;
}

const sends = (...names: string[]) => ({ headers }: Request): boolean => names.some((name) => headers.has(name));

/** By the name of the adapter. The first one whose `isSender` is true counts: GitHub sends a header of WhatsApp's too. */
export const PLATFORMS: ReadonlyMap<string, Platform> = new Map(Object.entries<Platform>({
  slack: {
    asksForIdentity: true,
    isSender: sends('x-slack-signature', 'x-slack-socket-token'),
    installation: slackInstallation,
    isChallenge: async (request) => await typeOf(request) === 'url_verification',
  },
  discord: {
    isSender: sends('x-signature-ed25519', 'x-discord-gateway-token'),
    installation: (payload) => payload['application_id'],
    isChallenge: async (request) => await typeOf(request) === 1,
  },
  telegram: { asksForIdentity: true, isSender: sends('x-telegram-bot-api-secret-token') },
  github: {
    isSender: sends('x-github-event'),
    installation: (payload) => payload['installation']?.['id'],
    isChallenge: ({ headers }) => headers.get('x-github-event') === 'ping',
  },
  linear: {
    asksForIdentity: true,
    isSender: sends('linear-signature'),
    installation: (payload) => payload['organizationId'],
  },
  whatsapp: {
    isSender: ({ method, url, headers }) =>
      headers.has('x-hub-signature-256') || (method === 'GET' && new URL(url).searchParams.has('hub.challenge')),
    installation: (payload) => first(first(payload['entry'])?.['changes'])?.['value']?.['metadata']?.['phone_number_id'],
    isChallenge: ({ method }) => method === 'GET',
  },
  gchat: { isSender: null },
  teams: {
    isSender: null,
    verifiesInHandler: true,
    installation: (payload) => payload['conversation']?.['tenantId'] ?? payload['channelData']?.['tenant']?.['id'],
  },
}));

/** The name of the platform a delivery claims to come from, by what only that platform sends. */
export function platformOf(request: Request): string | undefined {
  for (const [name, { isSender }] of PLATFORMS) if (isSender?.(request)) return name;
  return undefined;
}

/** The installation of a delivery, found as the SDK's Slack adapter finds it. */
function slackInstallation(payload: Json): unknown {
  // In a channel that two workspaces share, the team of an event may be the other workspace.
  const event = first(payload['authorizations']);
  const team = event?.['team_id'] ?? payload['team_id'] ?? payload['team']?.['id'];
  const organisation = event?.['enterprise_id'] ?? payload['enterprise_id'] ?? payload['enterprise']?.['id'];
  const isWide: unknown = event?.['is_enterprise_install'] ?? payload['is_enterprise_install'];
  return isWide === true || isWide === 'true' ? organisation : team ?? organisation;
}

function first(value: unknown): Json | undefined {
  return Array.isArray(value) ? value[0] : undefined;
}

/**
 * Finds the connection of a delivery on a URL that all customers of a platform share. Pass it to an adapter as
 * `connectionId`.
 *
 * The id is `platform:` and what the delivery is addressed to: `slack:T123` (workspace), `slack:E123` (an organisation in
 * which the app is installed as a whole), `discord:123` (application), `github:123` (installation), `whatsapp:123` (phone
 * number), `linear:…` (organisation), `teams:…` (tenant). Deliveries that name no customer, such as Slack's
 * `url_verification`, WhatsApp's `hub.challenge` and GitHub's `ping`, get the platform's name alone: store a row of that id
 * with the app's secrets to answer them. `undefined` for platforms whose deliveries do not say whom they are for (Telegram,
 * Google Chat): give each of those connections a URL of its own.
 *
 * The body is not authenticated at this point, so the id is a claim. The row it leads to decides whether the
 * signature is right.
 */
export async function connectionIdOf(request: Request): Promise<string | undefined> {
  const claimed = platformOf(request);
  const payload = await readPayload(request);
  const platform = claimed ?? (payload?.['channelId'] === 'msteams' ? 'teams' : undefined);
  const installation = PLATFORMS.get(platform ?? '')?.installation;
  if (installation === undefined) return undefined;
  const id = payload === undefined ? undefined : installation(payload);
  return typeof id === 'string' || typeof id === 'number' ? `${platform}:${id}` : platform;
}

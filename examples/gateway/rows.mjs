import { z } from 'zod';

const base = { id: z.string(), version: z.string(), status: z.enum(['active', 'stopped']) };
const secret = z.string().min(1); // an SDK that is given an empty one may look for it in the environment

/** Every row of the table. A row that does not parse is refused for its own id alone, before it is hydrated. */
export const rowSchema = z.discriminatedUnion('platform', [
  z.object({ ...base, platform: z.literal('slack'), signingSecret: secret, botToken: secret }),
  z.object({
    ...base,
    platform: z.literal('telegram'),
    token: secret,
    secretToken: secret,
    greeting: z.string(),
    botInfo: /** @type {z.ZodType<import('grammy/types').UserFromGetMe>} */ (
      z.custom((value) => typeof value === 'object' && value !== null && 'username' in value)
    ),
  }),
  z.object({
    ...base,
    platform: z.literal('github'),
    repository: z.string(),
    token: secret,
    secret,
    previousSecret: secret.optional(),
  }),
  z.object({ ...base, platform: z.literal('discord'), applicationId: z.string(), publicKey: secret }),
  z.object({
    ...base,
    platform: z.literal('whatsapp'),
    phoneNumberId: z.string(),
    accessToken: secret,
    appSecret: secret,
    verifyToken: secret,
  }),
]);

/** @typedef {z.infer<typeof rowSchema>} Row */

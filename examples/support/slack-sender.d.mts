/** Signs a body the way Slack does: HMAC-SHA256 of `v0:timestamp:body`. `timestamp` is in seconds. */
export declare function slackSignature(signingSecret: string, body: string, timestamp?: number):
  { 'x-slack-request-timestamp': string; 'x-slack-signature': string };

/** A slash command as Slack sends it, signed: what `fetch` takes. */
export declare function slashCommand(command: {
  signingSecret: string; command?: string; text?: string; channel?: string; user?: string;
}): { method: 'POST'; headers: Record<string, string>; body: string };

/** What the platform that runs the gateway offers. */
export interface WebhookPlatform {
  /** Told of all work that goes on after the response, so that the platform does not stop the process under it. */
  waitUntil?(work: Promise<unknown>): void;
}

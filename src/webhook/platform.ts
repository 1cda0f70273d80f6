/** The functions offered by the platform that runs the gateway. */
export interface WebhookPlatform {
  /** Called with all work that continues after the response, so that the platform lets it finish. */
  waitUntil?(work: Promise<unknown>): void;
}

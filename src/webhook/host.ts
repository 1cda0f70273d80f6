/** The services of the host that runs the gateway, such as a serverless platform or Next. */
export interface WebhookPlatform {
  /** Called with all work that continues after the response, so that the host lets it finish. */
  waitUntil?(work: Promise<unknown>): void;
}

import type { NodeRequest } from './node-types.js';

const WHY = 'The body was parsed before the webhook route saw it, so its signature cannot be checked. ';
const KEEP = 'express.json({ verify: (req, _res, bytes) => { req.rawBody = bytes; } })';
const GENERAL = `Mount the route before the body parser, or keep the bytes: ${KEEP}`;
const EXPRESS = `In Express, mount the route before the body parser, or keep the bytes: ${KEEP}. `
  + 'In NestJS, keep them with NestFactory.create(AppModule, { rawBody: true })';
const NEXT_PAGES = 'In Next, add `export const config = { api: { bodyParser: false } }` to the API route, or use a route handler '
  + 'of the app router, which comes before the body parser';

/** The fix for the framework in which it occurs. The developer reads it on the console. */
export function alreadyParsed(req: NodeRequest): string {
  if ('app' in req) return WHY + EXPRESS;
  // Next adds these to Node's request in its API routes.
  if ('query' in req && 'cookies' in req) return WHY + NEXT_PAGES;
  return WHY + GENERAL;
}

import { expect, test } from 'vitest';
import { alreadyParsed } from '../../src/adapters/parsed-body.js';
import { requestOf } from './support/messages.js';

const EXPRESS = 'express.json({ verify: (req, _res, bytes) => { req.rawBody = bytes; } })';
const NEXT = 'or use a route handler of the app router, which comes before the body parser';

test.each<{ where: string; kept: object; fixes: string[] }>([
  { where: 'Express and NestJS', kept: { app: {} }, fixes: ['In Express, mount the route before', EXPRESS, '{ rawBody: true }'] },
  { where: 'an API route of Next', kept: { query: {}, cookies: {} }, fixes: ['{ api: { bodyParser: false } }', NEXT] },
  { where: 'a server with cookies', kept: { cookies: {} }, fixes: ['Mount the route before', EXPRESS] },
  { where: 'a server with a parsed query', kept: { query: {} }, fixes: ['Mount the route before', EXPRESS] },
  { where: 'any other server', kept: {}, fixes: ['Mount the route before', EXPRESS] },
])('a developer whose body was parsed in $where reads how to fix it', ({ kept, fixes }) => {
  const message = alreadyParsed(requestOf({ kept }));
  expect(message).toMatch(/^The body was parsed before the webhook route saw it, so its signature cannot be checked\. /);
  for (const fix of fixes) expect(message).toContain(fix);
  expect(message.includes('Next')).toBe(fixes[0]!.includes('bodyParser'));
});

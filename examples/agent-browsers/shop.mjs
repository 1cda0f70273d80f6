import { createServer } from 'node:http';
import { listen } from '../support/recording-server.mjs';

/** A website on loopback that remembers who has logged in by a cookie, and says in which language it was asked. */
export async function startShop() {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://shop');
    const user = url.pathname === '/login' ? url.searchParams.get('user') : /user=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
    if (url.pathname === '/login') response.setHeader('set-cookie', `user=${user}; Max-Age=3600; HttpOnly`);
    response.setHeader('content-type', 'text/html').end(
      `<!doctype html><title>Shop</title><h1>${user ?? 'nobody'}</h1><p>${request.headers['accept-language']}</p>`,
    );
  });
  return {
    url: await listen(server),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => { server.close(resolve); });
    },
  };
}

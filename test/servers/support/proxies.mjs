import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findExecutable, freePort, serverEnvironment, serverFolder, startProcess, startServer } from './process.mjs';

/** Reverse proxies that keep their connections to the server, and share them between clients. */
const PROXIES = {
  nginx: {
    args: (folder) => ['-p', folder, '-c', join(folder, 'proxy.conf'), '-e', join(folder, 'error.log')],
    signal: 'TERM',
    config: (port, upstream, folder) => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  upstream gateway { server 127.0.0.1:${upstream}; keepalive 2; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://gateway; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }
  }
}
`,
  },
  haproxy: {
    args: (folder) => ['-db', '-f', join(folder, 'proxy.conf')],
    signal: 'TERM',
    config: (port, upstream) => `
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
  http-reuse always
  retry-on conn-failure empty-response
frontend clients
  bind 127.0.0.1:${port}
  default_backend gateway
backend gateway
  server gateway 127.0.0.1:${upstream} pool-max-conn 2
`,
  },
};

/** Starts a proxy in front of a port of loopback. */
export async function startProxy(name, upstream) {
  const proxy = PROXIES[name];
  const command = findExecutable(name, ['/usr/sbin', '/usr/local/sbin']);
  if (command === undefined) throw new Error(`${name} is neither on the PATH nor in /usr/sbin; Debian has it as ${name}`);
  // Both drop rights that they do not need, or run as the user that starts them.
  const folder = serverFolder(name, {});
  mkdirSync(join(folder, 'logs'));
  const port = await freePort();
  writeFileSync(join(folder, 'proxy.conf'), proxy.config(port, upstream, folder));
  return startServer({
    folder,
    port,
    url: `http://127.0.0.1:${port}`,
    launch: () =>
      startProcess({ command, args: proxy.args(folder), folder, port, env: serverEnvironment(), signal: proxy.signal }),
  });
}

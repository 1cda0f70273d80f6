import { createServer, request as send } from 'node:http';

/**
 * A minimal round-robin load balancer. It knows nothing of connections, so any request may reach any replica. A refused
 * connection goes to the next replica, because nothing was sent. Any other failure is a 502.
 *
 * @typedef {{ name: string, port: number, inFlight: number, served: number }} Target
 */
export class Proxy {
  /** @type {Target[]} */
  #targets = [];
  /** Those taken out of the rotation too. @type {Target[]} */
  #all = [];
  #turn = 0;
  // The sender keeps connections alive. A timeout between two scenarios could close one just as it is used again.
  #server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => { void this.#forward(request, response); });

  /** @returns {Promise<string>} its origin */
  async listen() {
    await new Promise((resolve) => { this.#server.listen(0, '127.0.0.1', () => resolve(undefined)); });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return `http://127.0.0.1:${address.port}`;
  }

  /** @param {{ name: string, port: number }[]} targets */
  setTargets(targets) {
    this.#all = targets.map(({ name, port }) => ({ name, port, inFlight: 0, served: 0 }));
    this.#targets = this.#all;
    this.#turn = 0;
  }

  /**
   * Takes a replica out of the rotation, as a failing readiness probe does. What it is answering goes on.
   * @param {string} name
   */
  remove(name) {
    this.#targets = this.#targets.filter((target) => target.name !== name);
  }

  /**
   * The next request goes to this replica.
   * @param {string} name
   */
  turnTo(name) {
    this.#turn = Math.max(0, this.#targets.findIndex((target) => target.name === name));
  }

  /**
   * The requests that a replica is answering, and those that it has answered.
   * @param {string} name
   * @returns {{ inFlight: number, served: number }}
   */
  traffic(name) {
    return this.#all.find((target) => target.name === name) ?? { inFlight: 0, served: 0 };
  }

  /** @returns {Promise<void>} */
  close() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => { this.#server.close(() => resolve()); });
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  async #forward(request, response) {
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return; // the sender left
    }
    const body = Buffer.concat(chunks);
    for (const target of this.#inTurn()) {
      if (await attempt(target, request, body, response) !== 'refused') return;
    }
    response.writeHead(502).end();
  }

  /** Every replica once, beginning with the one whose turn it is. */
  #inTurn() {
    const first = this.#turn++ % Math.max(1, this.#targets.length);
    return [...this.#targets.slice(first), ...this.#targets.slice(0, first)];
  }
}

/**
 * @param {Target} target
 * @param {import('node:http').IncomingMessage} request
 * @param {Buffer} body
 * @param {import('node:http').ServerResponse} response
 * @returns {Promise<'answered' | 'refused'>}
 */
function attempt(target, request, body, response) {
  return new Promise((resolve) => {
    let ended = false;
    /** @param {'answered' | 'refused'} outcome */
    const end = (outcome) => {
      if (ended) return;
      ended = true;
      target.inFlight--;
      if (outcome === 'answered') target.served++;
      resolve(outcome);
    };
    target.inFlight++;
    const fail = () => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502, { 'x-served-by': target.name }).end();
      end('answered');
    };
    // A connection per request, so that no kept-alive one leads to a replica that is going away.
    const upstream = send({
      port: target.port, host: '127.0.0.1', method: request.method, path: request.url, headers: request.headers, agent: false,
    }, (answer) => {
      answer.once('error', fail);
      answer.once('end', () => end('answered'));
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, 'x-served-by': target.name });
      answer.pipe(response);
    });
    upstream.once('error', (error) => {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ECONNREFUSED') end('refused');
      else fail();
    });
    upstream.end(body);
  });
}

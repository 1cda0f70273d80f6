import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('./gateway/main.mjs', import.meta.url));

/** One gateway process, and what it has reported. */
export class Replica {
  /** @type {{ create: number, row: number, version: number }} */
  counts = { create: 0, row: 0, version: 0 };
  port = 0;
  /** @type {'starting' | 'running' | 'draining' | 'gone'} */
  state = 'starting';
  /** How many bots it held when it was last asked. */
  live = 0;
  #child;
  #number = 0;
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
  #waiting = new Map();
  /** @type {Promise<void>} */
  #exited;
  /** @type {() => void} */
  #onDraining = () => {};

  /**
   * @param {string} name the framework it is written in
   * @param {string} way how it keeps its connections
   * @param {Record<string, string>} environment
   */
  constructor(name, way, environment) {
    this.name = name;
    // Detached, because Ctrl-C would otherwise reach it before the demo has ended its own work.
    this.#child = fork(MAIN, [name, way], { env: { ...process.env, ...environment }, detached: true });
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => {
        this.state = 'gone';
        this.live = 0;
        for (const { reject } of this.#waiting.values()) reject(new Error(`the replica ${name} has gone`));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  /** @returns {Promise<void>} when it listens */
  ready() {
    return new Promise((resolve, reject) => {
      this.#child.once('exit', (code) => reject(new Error(`the replica ${this.name} did not start (exit code ${code})`)));
      this.#child.on('message', (/** @type {any} */ message) => {
        this.#hear(message);
        if (message.event === 'ready') resolve();
      });
    });
  }

  get isRunning() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * @param {'put' | 'isLive' | 'live' | 'flush' | 'leaveRotation'} call
   * @param {unknown} [argument]
   * @returns {Promise<any>}
   */
  call(call, argument) {
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#child.send({ call, number, argument }, (error) => { if (error) reject(error); });
    });
  }

  /** Asks how many bots it holds. A replica that is ending does not answer. */
  async askLive() {
    const live = await this.call('live').catch(() => 0);
    if (this.isRunning) this.live = live;
  }

  /** kill -9. @returns {Promise<void>} when it is gone */
  kill() {
    this.#child.kill('SIGKILL');
    return this.#exited;
  }

  /**
   * SIGTERM.
   * @param {() => void} takeOut takes it out of the balancer's rotation, once it says that it is going
   * @returns {Promise<void>} when it has exited
   */
  terminate(takeOut) {
    this.#onDraining = () => {
      takeOut();
      void this.call('leaveRotation');
    };
    this.#child.kill('SIGTERM');
    return this.#exited;
  }

  /** @param {{ event?: string, port?: number, number?: number, result?: unknown, error?: string }} message */
  #hear({ event, port, number, result, error }) {
    if (event === 'create' || event === 'row' || event === 'version') this.counts[event]++;
    if (event === 'ready') {
      this.port = port ?? 0;
      this.state = 'running';
    }
    if (event === 'draining') {
      this.state = 'draining';
      this.#onDraining();
    }
    if (number === undefined) return;
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(`the replica ${this.name}: ${error}`));
  }
}

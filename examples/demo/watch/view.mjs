import { FRAMEWORKS } from '../world.mjs';

/**
 * Everything that the page shows, as plain JSON.
 *
 * @typedef {import('../outcome.mjs').Outcome} Outcome
 * @typedef {import('../world.mjs').World} World
 *
 * @typedef {'starting' | 'running' | 'draining' | 'gone'} ReplicaState
 * @typedef {{ name: string, state: ReplicaState, live: number, creates: number, reads: number, inFlight: number,
 *   served: number }} ReplicaView `inFlight` and `served` are the proxy's
 * @typedef {{ name: string, description: string, playing: boolean, marks: string, replicas: ReplicaView[] }} WayView
 * @typedef {{ way: string, text: string, checks: { words: string, holds: boolean }[] }} ResultView
 * @typedef {{ title: string, results: ResultView[] }} ScenarioView
 * @typedef {{ ended: boolean, scenario: number, ways: WayView[], scenarios: ScenarioView[] }} View
 */

/** One letter per command: pending, acknowledged, answered, outdated, not found, refused, broken. */
const MARKS = { pending: 'p', acknowledged: 'k', answered: 'a', outdated: 'o', missing: 'm', refused: 'r', broken: 'b' };

/** Collects what the demo does, and shows it as one view. */
export class DemoView {
  /** @type {Map<string, { world: World, description: string, marks: string }>} */
  #ways = new Map();
  /** @type {ScenarioView[]} */
  #scenarios;
  #scenario = 0;
  /** @type {string | undefined} */
  #playing;
  #greeting = '';
  #ended = false;

  /** @param {readonly { title: string }[]} scenarios */
  constructor(scenarios) {
    this.#scenarios = scenarios.map(({ title }) => ({ title, results: [] }));
  }

  /**
   * @param {World} world
   * @param {string} description
   */
  add(world, description) {
    this.#ways.set(world.way, { world, description, marks: '' });
  }

  /**
   * @param {number} index
   * @param {import('../scenarios.mjs').Scenario} scenario
   * @param {string} way
   */
  begin(index, { greeting = 'hello' }, way) {
    // The first way begins the scenario. The others have nothing to show for it yet.
    if (index !== this.#scenario) for (const shown of this.#ways.values()) shown.marks = '';
    this.#scenario = index;
    this.#playing = way;
    this.#greeting = greeting;
  }

  /**
   * @param {string} text
   * @param {Record<string, boolean>} checks
   */
  finish(text, checks) {
    if (this.#playing === undefined) return;
    this.#mark();
    this.#scenarios[this.#scenario]?.results.push({
      way: this.#playing, text, checks: Object.entries(checks).map(([words, holds]) => ({ words, holds })),
    });
    this.#playing = undefined;
  }

  end() {
    this.#ended = true;
  }

  /** @returns {View} */
  read() {
    this.#mark();
    return {
      ended: this.#ended,
      scenario: this.#scenario,
      ways: [...this.#ways].map(([name, { world, description, marks }]) => ({
        name, description, marks, playing: name === this.#playing, replicas: replicasOf(world),
      })),
      scenarios: this.#scenarios,
    };
  }

  /** Only the way that is played can have changed. */
  #mark() {
    const shown = this.#playing === undefined ? undefined : this.#ways.get(this.#playing);
    if (shown === undefined) return;
    const texts = new Map(shown.world.slack.messages.map(({ text }) => [text.slice(text.lastIndexOf(' ') + 1), text]));
    shown.marks = [...shown.world.statuses]
      .map(([word, status]) => MARKS[kindOf(status, texts.get(word), this.#greeting)])
      .join('');
  }
}

/**
 * @param {number | undefined} status
 * @param {string | undefined} answer
 * @param {string} greeting
 * @returns {keyof typeof MARKS}
 */
function kindOf(status, answer, greeting) {
  if (status === undefined) return 'pending';
  if (status === 404) return 'missing';
  if (status === 401) return 'refused';
  if (status !== 200) return 'broken';
  if (answer === undefined) return 'acknowledged';
  return answer.startsWith(`${greeting} `) ? 'answered' : 'outdated';
}

/**
 * @param {World} world
 * @returns {ReplicaView[]}
 */
function replicasOf({ replicas, proxy }) {
  return FRAMEWORKS.map((name) => {
    const replica = replicas.find((one) => one.name === name);
    const { inFlight, served } = proxy.traffic(name);
    const { create = 0, row = 0, version = 0 } = replica?.counts ?? {};
    return {
      name,
      inFlight,
      served,
      state: replica?.state ?? 'starting',
      live: replica?.live ?? 0,
      creates: create,
      reads: row + version,
    };
  });
}

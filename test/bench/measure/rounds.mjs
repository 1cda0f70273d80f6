import { setImmediate as nextTurn } from 'node:timers/promises';

const AsyncFunction = (async () => {}).constructor;
const WARM_UP_TURNS = 25;

/**
 * A loop over ids with `source` as its body, compiled anew for each subject: V8 collects type feedback per function, so a
 * loop that subjects shared would be slower for all of them than any is in an application.
 *
 * @param {string} source - what is done with `id`; may use `it` (the subject), `read` and `sum`, and may `await`
 */
export function compile(source, { sync = false } = {}) {
  const Constructor = sync ? Function : AsyncFunction;
  return new Constructor('it', 'ids', 'order', 'from', 'to', 'read', 'readLater', `
    let sum = 0;
    for (let at = from; at < to; at += 1) {
      const id = ids[order[at]];
      ${source};
    }
    return sum;
  `);
}

/**
 * Measures subjects side by side: in every round each has a short turn, and what counts is the median over the rounds of
 * its time against the reference's time in the same round. What else the machine does falls on all of them alike.
 *
 * @param subjects - `{ name, run(size), size?, before?(size), after?() }`; `run` returns when `size` operations are done;
 *   `before` and `after` are not timed
 * @param reference - the name of the subject the others are compared with
 * @returns of each its nanoseconds, their ratio to the reference's with its quartiles, and what they are over it
 */
export async function interleaved(subjects, { reference, rounds, turnMs = 4 }) {
  const sizes = new Map();
  for (const subject of subjects) sizes.set(subject.name, await calibrate(subject, turnMs));
  const times = new Map(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < subjects.length; turn += 1) {
      // The order changes, so that no subject always follows the same one.
      const subject = subjects[(turn + round) % subjects.length];
      const size = sizes.get(subject.name);
      times.get(subject.name).push(await time(subject, size));
      await nextTurn();
    }
  }
  const base = times.get(reference);
  return subjects.map(({ name }) => {
    const own = times.get(name);
    const ratios = own.map((ns, round) => ns / base[round]);
    const over = median(own.map((ns, round) => ns - base[round]));
    return { name, ns: median(own), ratio: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75), over };
  });
}

/**
 * Nanoseconds of processor time per operation, those of the collector's threads included. What is measured this way
 * never waits, so on an idle machine it is the time that passes; on a busy one it is that without the pauses.
 */
async function time(subject, size) {
  await subject.before?.(size);
  const start = process.cpuUsage();
  await subject.run(size);
  const { user, system } = process.cpuUsage(start);
  await subject.after?.();
  return ((user + system) * 1_000) / size;
}

/** How many operations fill a turn; warms the subject up on the way. */
async function calibrate(subject, turnMs) {
  if (subject.size !== undefined) {
    for (let turn = 0; turn < WARM_UP_TURNS; turn += 1) await time(subject, subject.size);
    return subject.size;
  }
  let size = 16;
  for (let turn = 0; turn < WARM_UP_TURNS; turn += 1) {
    const ns = await time(subject, size);
    await nextTurn();
    const fitting = Math.max(16, Math.round((turnMs * 1e6) / ns));
    size = turn === WARM_UP_TURNS - 1 ? fitting : Math.min(fitting, size * 4);
  }
  return size;
}

export function median(values) {
  return quantile(values, 0.5);
}

export function quantile(values, q) {
  const sorted = Float64Array.from(values).toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

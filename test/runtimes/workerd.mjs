/** The suite as a worker that has nothing of Node. */
import * as hydrant from 'hydrant';
import * as exclusive from 'hydrant/exclusive';
import * as inspector from 'hydrant/inspector';
import { checksOf } from './checks.mjs';

export default {
  async test() {
    const failures = [];
    for (const [name, check] of checksOf(hydrant, exclusive, inspector)) {
      try {
        await check();
      } catch (error) {
        failures.push(`${name}: ${error.stack ?? error}`);
      }
    }
    if (failures.length > 0) throw new Error(failures.join('\n'));
  },
};

/** Runs every comparison against both managers, and prints a table. `npm run build` first. */
import { trial } from './trial.mjs';

console.log('| | by hand | with hydrant |\n|---|---|---|');
for (const { what, byHand, withHydrant } of await trial()) console.log(`| ${what} | ${byHand} | ${withHydrant} |`);

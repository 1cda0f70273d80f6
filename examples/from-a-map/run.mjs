/** Runs the trial of every step. `npm run build` first. */
import { readdirSync } from 'node:fs';
import { trial } from './trial.mjs';

const { error } = console;
console.error = () => {}; // the outage is intended
for (const file of readdirSync(new URL('steps/', import.meta.url)).toSorted()) {
  const { createGateway } = await import(`./steps/${file}`);
  console.log(file);
  for (const [what, seen] of Object.entries(await trial(createGateway))) console.log(`  ${what.padEnd(50)} ${seen}`);
}
console.error = error;

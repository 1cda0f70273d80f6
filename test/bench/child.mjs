/** Runs one suite and tells its parent the result: `node child.mjs <suite> <options>`. */
const [, , suite, options] = process.argv;
const { SUITES } = await import('./suites.mjs');
const { file, run } = SUITES[suite];
const module = await import(file);
const result = await module[run](JSON.parse(options));
if (process.send === undefined) console.log(JSON.stringify(result, undefined, 2));
else await new Promise((sent) => { process.send(result, sent); });
// Peers leave timers behind.
process.exit(0);

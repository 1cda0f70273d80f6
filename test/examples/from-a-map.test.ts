import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { example } from './support.js';

const { trial } = await example('from-a-map/trial.mjs');

const FOLDER = fileURLToPath(new URL('../../examples/from-a-map/', import.meta.url));
const steps = readdirSync(`${FOLDER}steps`).toSorted();

/** Without the blanks at line ends that editors take away. */
const trimmed = (text: string): string => text.replaceAll(/[ \t]+$/gm, '').trimEnd();

const AT_BOOT = 'bots started at boot, on two replicas';
const WEBHOOK = 'a webhook of a bot installed on the other replica';
const MESSAGE = 'a message of a bot installed on the other replica';
const EDIT = 'a message after an edit on the other replica';
const FORGED = 'bots started for a forged webhook';
const OUTAGE = 'a message while the database is away';
const LEFT = 'bots left running after the end';

describe('examples/from-a-map: each step runs, and does what its text says', () => {
  beforeEach(() => { vi.spyOn(console, 'error').mockImplementation(() => {}); });
  afterEach(() => { vi.restoreAllMocks(); });

  test.each([
    {
      step: '0-a-map.mjs',
      expected: { [AT_BOOT]: '8', [WEBHOOK]: '404', [MESSAGE]: 'no such bot: new', [EDIT]: 'Hello Ada', [LEFT]: '0' },
    },
    {
      step: '1-a-registry.mjs',
      expected: { [AT_BOOT]: '8', [WEBHOOK]: '404', [MESSAGE]: 'Hello Ada', [EDIT]: 'Good morning Ada', [LEFT]: '0' },
    },
    {
      step: '2-webhooks.mjs',
      expected: { [AT_BOOT]: '0', [WEBHOOK]: '200 Hello Ada', [EDIT]: 'Good morning Ada', [FORGED]: '1', [LEFT]: '0' },
    },
    {
      step: '3-authenticate.mjs',
      expected: { [WEBHOOK]: '200 Hello Ada', [FORGED]: '0', [OUTAGE]: 'STORE_UNAVAILABLE', [LEFT]: '0' },
    },
    { step: '4-production.mjs', expected: { [WEBHOOK]: '200 Hello Ada', [FORGED]: '0', [OUTAGE]: 'Hello Ada', [LEFT]: '0' } },
  ])('$step', async ({ step, expected }) => {
    const { createGateway } = await example(`from-a-map/steps/${step}`);
    expect(await trial(createGateway)).toMatchObject(expected);
  });

  test('the diffs of the README are the differences between the steps', () => {
    const shown = [...readFileSync(`${FOLDER}README.md`, 'utf8').matchAll(/```diff\n([^]*?)\n```/g)].map(([, diff = '']) =>
      trimmed(diff),
    );
    const actual = steps.slice(1).map((step, index) => {
      // It answers 1 when there are differences.
      const { stdout } = spawnSync('git', ['diff', '--no-index', '--no-color', '-U2', steps[index] as string, step], {
        cwd: `${FOLDER}steps`,
        encoding: 'utf8',
      });
      const [, ...hunks] = stdout.split(/^@@.*$/m);
      return trimmed(hunks.map((hunk) => `@@${hunk}`).join(''));
    });
    expect(shown).toEqual(actual);
  });
});

import { accessSync, constants, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const FOLDER = new URL('../../.github/workflows/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');
const steps = (text: string): string[] => [...text.matchAll(/^\s+(?:- )?run: (.*)$/gm)].map(([, command = '']) => command);

/** A job of a workflow, from its name to the next. */
const job = (text: string, name: string): string => new RegExp(`^  ${name}:\\n((?: {4}.*\\n|\\n)+)`, 'm').exec(`${text}\n`)?.[1] ?? '';

describe('workflows', () => {
  test('every action is pinned to a commit, and its version is said beside it', () => {
    for (const name of readdirSync(FOLDER)) {
      for (const [, action = ''] of read(name).matchAll(/uses: (.*)$/gm)) {
        expect([name, action]).toEqual([name, expect.stringMatching(/^\.\/|@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)]);
      }
    }
  });

  test('CI is .ci/run, and nothing besides', () => {
    expect(steps(read('ci.yml'))).toEqual(['.ci/run']);
    accessSync(new URL('../../.ci/run', import.meta.url), constants.X_OK);
  });

  test('a release waits for CI and for the suite of runtimes', () => {
    const release = read('release.yml');
    expect(job(release, 'check')).toContain('uses: ./.github/workflows/ci.yml');
    expect(steps(job(release, 'runtimes'))).toContain('npm run test:runtimes');
    expect(job(release, 'publish')).toContain('needs: [check, runtimes]');
  });

  test('only the job that publishes may ask for an identity, and no workflow holds a secret', () => {
    for (const name of readdirSync(FOLDER)) {
      const text = read(name);
      expect(text.replace(job(text, 'publish').trimEnd(), '')).not.toContain('id-token');
      expect(text).not.toContain('secrets.');
      expect(text).toMatch(/^permissions:\n {2}contents: read$/m);
    }
    expect(job(read('release.yml'), 'publish')).toMatch(/id-token: write[^]*npm publish --provenance/);
  });
});

import { accessSync, constants, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { NODE_VERSIONS, otherVersion } from '../runtimes/runtimes.mjs';

const FOLDER = new URL('../../.github/workflows/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');
/** The commands of a workflow. One that takes several lines is a block. */
const steps = (text: string): string[] =>
  [...text.matchAll(/^ +(?:- )?run: (?:\|\n((?: {10}.*\n?)+)|(.*)$)/gm)]
    .map(([, block, line = '']) => block?.replaceAll(/^ {10}/gm, '').trimEnd() ?? line);

/** A job of a workflow, from its name to the next. */
const job = (text: string, name: string): string =>
  new RegExp(`^  ${name}:\\n((?: {4}.*\\n|\\n)+)`, 'm').exec(`${text}\n`)?.[1] ?? '';

describe('workflows', () => {
  test('every action is pinned to a commit, and its version is said beside it', () => {
    for (const name of readdirSync(FOLDER)) {
      for (const [, action = ''] of read(name).matchAll(/uses: (.*)$/gm)) {
        expect({ name, action }).toEqual({ name, action: expect.stringMatching(/^\.\/|@[0-9a-f]{40} # v\d+\.\d+\.\d+$/) });
      }
    }
  });

  test('CI is .ci/run, and nothing besides', () => {
    expect(steps(read('ci.yml'))).toEqual(['.ci/run']);
    accessSync(new URL('../../.ci/run', import.meta.url), constants.X_OK);
  });

  test('a release waits for CI, for the suite of runtimes, and for the unit tests on every version of Node', () => {
    const release = read('release.yml');
    expect(job(release, 'check')).toContain('uses: ./.github/workflows/ci.yml');
    expect(steps(job(release, 'runtimes'))).toContain('npm run test:runtimes');
    expect(steps(job(release, 'node'))).toContain('npm run test:node -- ${{ matrix.version }}');
    expect(job(release, 'node')).toContain(`version: [${NODE_VERSIONS.map((version) => version.split('.')[0]).join(', ')}]`);
    expect(job(release, 'publish')).toContain('needs: [check, runtimes, node, pack]');
  });

  test('the job that publishes runs nothing of the repository and nothing that npm installs', () => {
    const publish = job(read('release.yml'), 'publish');
    expect([...publish.matchAll(/uses: ([^@]+)@/g)].map(([, action]) => action)).toEqual([
      'actions/download-artifact',
      'actions/setup-node',
    ]);
    expect(steps(publish)).toEqual([
      expect.stringMatching(/sha256sum --check$/),
      expect.stringMatching(/^tag=\$\(case .*\)\nnpm publish \.\/hydrant\.tgz --ignore-scripts --provenance .*$/),
    ]);
    expect(steps(job(read('release.yml'), 'pack'))).toContain('npm ci');
  });

  test('.ci/run runs the unit tests on another version than its own, each day another', () => {
    expect(readFileSync(new URL('../../.ci/run', import.meta.url), 'utf8')).toContain('npm run test:node -- other');
    const days = Array.from({ length: 6 }, (_, day) => otherVersion('24.1.0', day * 86_400_000 + 5));
    expect(days).toEqual([...days.slice(0, 3), ...days.slice(0, 3)]);
    expect(days.slice(0, 3).toSorted()).toEqual(NODE_VERSIONS.filter((version) => !version.startsWith('24.')));
  });

  test('only the job that publishes may ask for an identity, and no workflow holds a secret', () => {
    for (const name of readdirSync(FOLDER)) {
      const text = read(name);
      expect(text.replace(job(text, 'publish').trimEnd(), '')).not.toContain('id-token');
      expect(text).not.toContain('secrets.');
      expect(text).toMatch(/^permissions:\n {2}contents: read$/m);
    }
    expect(job(read('release.yml'), 'publish')).toMatch(/id-token: write[^]*npm publish .*--provenance/);
  });
});

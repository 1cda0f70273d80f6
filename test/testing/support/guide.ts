import { readFileSync } from 'node:fs';
import { transform } from 'esbuild';

/** A factory copied from the guide to custom adapters, with the guide's declarations. */
export async function guideFactory<F>(name: string, declared: Record<string, unknown>): Promise<F> {
  const page = readFileSync(new URL('../../../examples/guides/custom-adapters.md', import.meta.url), 'utf8');
  const source = new RegExp(`^const ${name}[^]*?^\\};$`, 'm').exec(page)?.[0] ?? '';
  const { code } = await transform(source, { loader: 'ts' });
  return new Function(...Object.keys(declared), `${code}; return ${name};`)(...Object.values(declared)) as F;
}

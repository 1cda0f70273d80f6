/**
 * A TypeDoc plugin for the manual: pages are called by their heading, not by their file, and the site gets an `llms.txt`
 * that lists them (https://llmstxt.org).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Converter, ReflectionKind, RendererEvent } from 'typedoc';

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page) => {
    const [first] = page.content;
    if (first?.kind !== 'text') return;
    const [whole, heading] = /^# (.*)\n+/.exec(first.text) ?? [];
    if (whole === undefined) return;
    page.name = heading;
    first.text = first.text.slice(whole.length);
  });
  app.renderer.on(RendererEvent.END, ({ project, outputDirectory }) => {
    const pages = project.getReflectionsByKind(ReflectionKind.Document)
      .map((page) => `- [${page.name}](${app.renderer.router?.getFullUrl(page)})`);
    const [, summary = ''] = /^\*\*(.*)\*\*$/m.exec(readFileSync(new URL('../../README.md', import.meta.url), 'utf8')) ?? [];
    writeFileSync(
      join(outputDirectory, 'llms.txt'),
      `# hydrant\n\n> ${summary}\n\n## Manual\n\n${pages.join('\n')}\n\n## API\n\n- [every export](modules.html)\n`,
    );
  });
}

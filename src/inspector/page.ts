import { escaped, htmlResponse } from './html.js';
import { script } from './page-script.js';
import { style } from './page-style.js';

/** The inspector's page. */
export function page(title: string): Response {
  return htmlResponse({ title, style, script, body: body(escaped(title)) });
}

const STATES = ['idle', 'leased', 'hydrating', 'draining', 'disposing', 'failed'];
const sortable = (key: string, name: string): string =>
  `<th scope="col" data-sort="${key}"><button type="button">${name}</button></th>`;
const fact = (key: string, name: string): string => `<div><dt>${name}</dt><dd><span id="${key}">–</span></dd></div>`;
const capped = (key: string, name: string): string =>
  `<div><dt id="${key}-name">${name}</dt><dd><span id="${key}">–</span>
<meter id="${key}-meter" aria-labelledby="${key}-name" value="0"></meter></dd></div>`;

const body = (title: string): string => `<a class="skip" href="#connections">Skip to the connections</a>
<header>
<h1>${title}</h1>
<p id="feed" data-state="connecting">Connecting…</p>
<button type="button" id="pause" aria-pressed="false">Pause updates</button>
</header>
<main>
<section aria-labelledby="now"><h2 id="now">Now</h2>
<dl>${capped('live', 'Live')}${fact('idle', 'Idle')}${fact('leased', 'In use')}
${capped('hydrating', 'Hydrating')}${capped('queued', 'Waiting for a permit')}
${fact('draining', 'Draining')}${fact('failed', 'Failed last')}</dl>
</section>
<section aria-labelledby="latency"><h2 id="latency">Hydrates in the last ten minutes</h2>
<p id="latency-text">None yet.</p>
<svg id="chart" viewBox="0 0 600 120" preserveAspectRatio="none" role="img" aria-labelledby="latency latency-text"></svg>
<p class="legend"><span class="key p50"></span> median <span class="key p95"></span> 95th percentile
<span class="key bad"></span> failures; the scale is logarithmic, 1 ms to 30 s</p>
</section>
<section aria-labelledby="connections-name"><h2 id="connections-name">Connections</h2>
<div role="search" class="search">
<label for="search">Id contains</label> <input id="search" type="search" autocomplete="off" spellcheck="false">
<label for="state">State</label>
<select id="state"><option value="">any</option>${STATES.map((state) => `<option>${state}</option>`).join('')}</select>
<span id="matching" role="status"></span>
</div>
<div class="scroll" role="region" aria-labelledby="connections-name" tabindex="0">
<table id="connections" tabindex="-1"><thead><tr>
${sortable('id', 'Id')}<th scope="col">State</th><th scope="col">Version</th>
${sortable('leases', 'Leases')}${sortable('age', 'Age')}${sortable('leased', 'In use for')}
${sortable('failures', 'Last failure')}<th scope="col">Next attempt</th><th scope="col">Actions</th>
</tr></thead><tbody></tbody></table>
</div>
<nav aria-label="Pages of connections">
<button type="button" id="previous">Previous</button> <span id="range"></span> <button type="button" id="next">Next</button>
</nav>
</section>
<p id="outcome" role="status"></p>
</main>`;

/** The page: markup, style on top of the inspector's, and a script that builds elements and sets text, never markup. */

const MARKS = [
  ['p', 'sent'], ['k', 'acknowledged, no reply yet'], ['a', 'replied'], ['o', 'replied, outdated'], ['r', '401'], ['m', '404'],
  ['b', 'broken or 5xx'],
];

export const body = `<header>
<h1>hydrant: the demo</h1>
<p id="feed" data-state="connecting">Connecting…</p>
</header>
<main>
<p id="scenario" role="status"></p>
<div id="ways"></div>
<p class="legend">One square per command:${MARKS.map(([mark, words]) =>
  ` <span class="key mark-${mark}"></span> ${words}`).join('')}</p>
<h2 id="results-name">Results</h2>
<div class="scroll" role="region" aria-labelledby="results-name" tabindex="0">
<table id="results"><thead><tr><th scope="col">Scenario</th></tr></thead><tbody></tbody></table>
</div>
</main>`;

export const style = `
header, main { max-width: 1500px; }
#scenario { font-size: 18px; margin: 12px 0; min-height: 1.5em; }
#ways { display: grid; grid-template-columns: repeat(auto-fit, minmax(380px, 1fr)); gap: 16px; }
.way { border: 1px solid var(--line); border-radius: 6px; padding: 0 14px 12px; }
.way[data-playing=true] { border-color: var(--blue); box-shadow: 0 0 0 1px var(--blue); }
.way h2 { margin: 10px 0 0; } .way p { margin: 0 0 8px; color: var(--quiet); font-size: 13px; }
.way table { font-size: 12px; } .way th, .way td { padding: 3px 4px; } .way td { text-align: right; }
.way td:nth-child(2) { text-align: left; }
.way thead th { white-space: normal; vertical-align: bottom; line-height: 1.2; }
.way svg { height: 134px; margin-bottom: 4px; } .way .counts { min-height: 1.5em; }
.gone { color: var(--red); } .running { color: var(--green); }
.mark-p { fill: var(--line); background: var(--line); } .mark-k { fill: var(--pale); background: var(--pale); }
.mark-a { fill: var(--green); background: var(--green); } .mark-o { fill: var(--amber); background: var(--amber); }
.mark-r { fill: var(--blue); background: var(--blue); } .mark-m { fill: var(--red); background: var(--red); }
.mark-b { fill: var(--ink); background: var(--ink); }
#results td, #results th { vertical-align: top; white-space: normal; } #results tbody th { font-family: inherit; }
#results td div { font-size: 13px; color: var(--quiet); } #results td div.bad { background: none; color: var(--red); }
tr[aria-current=true] { background: var(--raised); }
`;

export const script = `
'use strict';
const WORDS = ${JSON.stringify(Object.fromEntries(MARKS))};
const COLUMNS = ['Replica', 'State', 'Live bots', 'In flight', 'Served', 'Starts', 'Reads'];
const PER_LINE = 25;
const $ = (id) => document.getElementById(id);
const element = (name, parent, words = '', properties = {}) => {
  const made = document.createElement(name);
  made.textContent = words;
  Object.assign(made, properties);
  parent.append(made);
  return made;
};
const text = (node, words) => { if (node.textContent !== String(words)) node.textContent = words; };
const ways = new Map();

function wayFor({ name, description, replicas }) {
  if (ways.has(name)) return ways.get(name);
  const section = element('section', $('ways'), '', { className: 'way' });
  const heading = element('h2', section, name, { id: 'way-' + ways.size });
  section.setAttribute('aria-labelledby', heading.id);
  element('p', section, description);
  const table = element('table', section);
  const head = element('tr', element('thead', table));
  for (const column of COLUMNS) element('th', head, column, { scope: 'col' });
  const rows = element('tbody', table);
  const cells = replicas.map((replica) => {
    const row = element('tr', rows);
    element('th', row, replica.name, { scope: 'row' });
    return COLUMNS.slice(1).map(() => element('td', row));
  });
  const counts = element('p', section, '', { className: 'counts', id: 'counts-' + ways.size });
  const chart = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const labels = { viewBox: '0 0 400 134', role: 'img', 'aria-labelledby': heading.id + ' ' + counts.id };
  for (const [key, value] of Object.entries(labels)) chart.setAttribute(key, value);
  section.append(chart);
  element('th', document.querySelector('#results thead tr'), name, { scope: 'col' });
  const way = { section, cells, counts, chart, marks: undefined };
  ways.set(name, way);
  return way;
}

function showWay(view) {
  const way = wayFor(view);
  way.section.dataset.playing = view.playing;
  view.replicas.forEach((replica, index) => {
    const [state, ...numbers] = way.cells[index];
    text(state, replica.state);
    state.className = replica.state;
    const { live, inFlight, served, creates, reads } = replica;
    [live, inFlight, served, creates, reads].forEach((value, place) => text(numbers[place], value));
  });
  if (way.marks === view.marks) return;
  way.marks = view.marks;
  const counts = {};
  for (const mark of view.marks) counts[mark] = (counts[mark] ?? 0) + 1;
  const parts = Object.entries(WORDS).filter(([mark]) => counts[mark]).map(([mark, words]) => counts[mark] + ' ' + words);
  text(way.counts, parts.join(', '));
  way.chart.replaceChildren(...[...view.marks].map((mark, index) => {
    const square = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    const line = Math.floor(index / PER_LINE);
    const place = { class: 'mark-' + mark, x: index % PER_LINE * 16 + 1, y: line * 16 + 3, width: 14, height: 14, rx: 2 };
    for (const [key, value] of Object.entries(place)) square.setAttribute(key, value);
    return square;
  }));
}

function showResults({ scenarios, ways: names, scenario: current }) {
  const rows = document.querySelector('#results tbody');
  scenarios.forEach(({ title, results }, index) => {
    let row = rows.children[index];
    if (row === undefined) {
      row = element('tr', rows);
      element('th', row, title, { scope: 'row' });
      for (const _ of names) element('td', row);
    }
    row.setAttribute('aria-current', index === current);
    names.forEach(({ name }, place) => {
      const cell = row.children[place + 1];
      const result = results.find(({ way }) => way === name);
      if (result === undefined || cell.firstChild !== null) return;
      element('span', cell, result.text);
      for (const { words, holds } of result.checks)
        element('div', cell, (holds ? '✓ ' : '✗ not so: ') + words, { className: holds ? '' : 'bad' });
    });
  });
}

const source = new EventSource('stream');
source.onmessage = ({ data }) => {
  const view = JSON.parse(data);
  $('feed').dataset.state = view.ended ? 'ended' : 'live';
  text($('feed'), view.ended ? 'Finished' : 'Live');
  const title = view.scenarios[view.scenario].title;
  const number = 'Scenario ' + (view.scenario + 1) + ' of ' + view.scenarios.length;
  text($('scenario'), view.ended ? 'The demo has ended.' : number + ': ' + title);
  for (const way of view.ways) showWay(way);
  showResults(view);
  if (view.ended) source.close();
};
source.onerror = () => {
  if (source.readyState === EventSource.CLOSED && $('feed').dataset.state === 'ended') return;
  $('feed').dataset.state = 'lost';
  text($('feed'), 'The demo is not running');
};
`;

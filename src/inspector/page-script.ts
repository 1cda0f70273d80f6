/**
 * The page's script. It is plain text, because a bundler must not change it. It makes elements and sets
 * text, never markup, so that an id can be anything.
 */
export const script = `
'use strict';
const $ = (id) => document.getElementById(id);
const query = { search: '', state: '', sort: 'id', offset: 0 };
const lines = new Map();
// Before there are lines, which have such cells too.
const columnCount = document.querySelectorAll('th').length;
let source, paused = false, latest;

const duration = (ms) => ms === undefined ? '' : ms < 1000 ? Math.round(ms) + ' ms' : ms < 60000 ? (ms / 1000).toFixed(1) + ' s'
  : ms < 3600000 ? Math.floor(ms / 60000) + ' min ' + Math.floor(ms % 60000 / 1000) + ' s'
  : Math.floor(ms / 3600000) + ' h ' + Math.floor(ms % 3600000 / 60000) + ' min';
const number = (value) => value.toLocaleString('en');
const text = (element, value) => { const next = String(value); if (element.textContent !== next) element.textContent = next; };
const address = (parameters) => location.pathname + '?' + new URLSearchParams(parameters);

function feed(state, words) { const element = $('feed'); element.dataset.state = state; text(element, words); }

function watch() {
  source?.close();
  if (paused) return feed('paused', 'Paused');
  source = new EventSource(address({ view: 'stream', ...query }));
  source.onmessage = ({ data }) => { feed('live', 'Live'); show(JSON.parse(data)); };
  source.onerror = () => feed('lost', 'Connection lost, trying again…');
}

function meter(id, value, max) {
  text($(id), number(value) + ' of ' + number(max));
  const element = $(id + '-meter');
  element.max = Math.max(1, max); element.high = max * 0.9; element.value = value;
}

function show(view) {
  latest = view;
  const { limits } = view;
  meter('live', view.live, limits.maxInstances);
  meter('hydrating', view.hydrating - view.queued, limits.maxConcurrentHydrations);
  meter('queued', view.queued, limits.maxQueuedHydrations);
  for (const id of ['idle', 'leased', 'draining', 'failed']) text($(id), number(view[id]));
  chart(view.latency.columns);
  table(view);
}

function chart(columns) {
  const height = (ms) => 100 * Math.min(1, Math.max(0.02, Math.log10(Math.max(1, ms)) / Math.log10(30000)));
  const rectangles = [];
  let count = 0, failures = 0, slowest = 0;
  columns.forEach((column, index) => {
    count += column.count; failures += column.failures; slowest = Math.max(slowest, column.p95Ms ?? 0);
    const bar = (name, from, size) => {
      const rectangle = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
      const attributes = { class: name, x: index * 10 + 1, width: 8, y: 118 - from - size, height: size };
      for (const [key, value] of Object.entries(attributes)) rectangle.setAttribute(key, value);
      rectangles.push(rectangle);
    };
    if (column.p50Ms !== undefined) {
      bar('p95', 0, height(column.p95Ms));
      bar('p50', 0, height(column.p50Ms));
    }
    if (column.failures > 0) bar('bad', 104, 12);
  });
  $('chart').replaceChildren(...rectangles);
  text($('latency-text'), count + failures === 0 ? 'None yet.'
    : number(count) + ' succeeded, ' + number(failures) + ' failed'
    + (count === 0 ? '.' : '; in the slowest ten seconds 95 % took at most ' + duration(slowest) + '.'));
}

function line() {
  const row = document.createElement('tr');
  const cells = Array.from({ length: columnCount },
    (_, index) => row.appendChild(document.createElement(index === 0 ? 'th' : 'td')));
  cells[0].scope = 'row';
  const button = (action, name) => {
    const element = document.createElement('button');
    element.type = 'button'; element.textContent = name;
    element.addEventListener('click', () => act(action, cells[0].textContent));
    cells.at(-1).append(element, ' ');
    return element;
  };
  return { row, cells, invalidate: button('invalidate', 'Invalidate'), evict: button('evict', 'Evict') };
}

const next = (retryInMs) => retryInMs > 0 ? 'in ' + duration(retryInMs) : 'on the next use';

function table(view) {
  const body = document.querySelector('tbody');
  const focused = document.activeElement;
  const kept = new Set();
  const seen = new Map();
  view.rows.forEach((row, index) => {
    const nth = seen.get(row.id) ?? 0;
    seen.set(row.id, nth + 1);
    const key = JSON.stringify([row.id, nth]);
    kept.add(key);
    let entry = lines.get(key);
    if (entry === undefined) lines.set(key, entry = line());
    const { cells } = entry;
    const values = [row.id, row.state, row.version ?? '', row.leases ?? 0, duration(row.ageMs), duration(row.leasedForMs),
      row.failure ? row.failure.code + ' (' + row.failure.failures + ')' : '', row.failure ? next(row.failure.retryInMs) : ''];
    values.forEach((value, place) => text(cells[place], value));
    cells[1].className = row.state;
    entry.invalidate.setAttribute('aria-label', 'Invalidate ' + row.id);
    entry.evict.setAttribute('aria-label', 'Evict ' + row.id);
    entry.evict.disabled = row.state !== 'idle';
    if (body.children[index] !== entry.row) body.insertBefore(entry.row, body.children[index] ?? null);
  });
  for (const [key, { row }] of lines) if (!kept.has(key)) { row.remove(); lines.delete(key); }
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
  text($('matching'), view.matching === view.total ? number(view.total) + ' in all'
    : number(view.matching) + ' of ' + number(view.total));
  text($('range'), view.matching === 0 ? 'None' : number(view.offset + 1) + ' to ' + number(view.offset + view.rows.length));
  $('previous').disabled = view.offset === 0;
  $('next').disabled = view.offset + view.rows.length >= view.matching;
}

async function act(action, id) {
  try {
    const response = await fetch(address({ action, id }), { method: 'POST', headers: { 'x-hydrant-inspector': '1' } });
    text($('outcome'), id + ': ' + await response.text());
  } catch { text($('outcome'), id + ': the request failed'); }
  refresh();
}

async function refresh() {
  if (!paused) return watch();
  try {
    const response = await fetch(address({ view: 'data', ...query }));
    if (response.ok) show(await response.json());
  } catch { feed('lost', 'Connection lost'); }
}

let typing;
$('search').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => { query.search = $('search').value; query.offset = 0; refresh(); }, 150);
});
$('state').addEventListener('change', () => { query.state = $('state').value; query.offset = 0; refresh(); });
$('previous').addEventListener('click', () => { query.offset = Math.max(0, latest.offset - 100); refresh(); });
$('next').addEventListener('click', () => { query.offset = latest.offset + 100; refresh(); });
$('pause').addEventListener('click', () => { paused = !paused; $('pause').setAttribute('aria-pressed', paused); watch(); });
for (const header of document.querySelectorAll('th[data-sort]')) {
  header.firstChild.addEventListener('click', () => { query.sort = header.dataset.sort; query.offset = 0; sorted(); refresh(); });
}
function sorted() {
  for (const header of document.querySelectorAll('th[data-sort]')) {
    if (header.dataset.sort === query.sort) header.setAttribute('aria-sort', query.sort === 'id' ? 'ascending' : 'descending');
    else header.removeAttribute('aria-sort');
  }
}
sorted();
watch();
`;

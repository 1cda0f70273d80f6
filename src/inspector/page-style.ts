/** The page's style. Colours hold a contrast of at least 4.5 to 1 in both schemes. */
export const style = `
:root { color-scheme: light dark;
  --ink: #1b1f24; --paper: #ffffff; --quiet: #57606a; --line: #d0d7de; --raised: #f6f8fa;
  --blue: #0a58ca; --pale: #9ec5fe; --red: #b42318; --green: #1a7f37; --amber: #8a5300; }
@media (prefers-color-scheme: dark) { :root {
  --ink: #e6edf3; --paper: #0d1117; --quiet: #9da7b1; --line: #30363d; --raised: #161b22;
  --blue: #6cb6ff; --pale: #2f5f92; --red: #ff8f85; --green: #57c76b; --amber: #e3b341; } }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
header, main { max-width: 1200px; margin: 0 auto; padding: 0 20px; }
header { display: flex; align-items: baseline; gap: 16px; flex-wrap: wrap; padding-top: 16px; }
h1 { font-size: 22px; margin: 0; } h2 { font-size: 16px; margin: 20px 0 8px; }
#feed { margin: 0 auto 0 0; color: var(--quiet); }
#feed[data-state=live] { color: var(--green); } #feed[data-state=lost] { color: var(--red); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 8px; margin: 0; }
dl > div { background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px; }
dt { color: var(--quiet); font-size: 13px; } dd { margin: 0; font-size: 20px; font-variant-numeric: tabular-nums; }
meter { width: 100%; height: 8px; display: block; }
svg { width: 100%; height: 120px; background: var(--raised); border: 1px solid var(--line); border-radius: 6px; display: block; }
.p50 { fill: var(--blue); background: var(--blue); } .p95 { fill: var(--pale); background: var(--pale); }
.bad { fill: var(--red); background: var(--red); }
.legend, #latency-text { color: var(--quiet); font-size: 13px; margin: 6px 0; }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-left: 8px; }
.search { display: flex; gap: 8px; align-items: center; flex-wrap: wrap; margin-bottom: 8px; }
input, select, button { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--quiet);
  border-radius: 6px; padding: 3px 10px; min-height: 30px; }
button:hover:not(:disabled) { background: var(--raised); } button:disabled { color: var(--quiet); border-style: dashed; }
button[aria-pressed=true] { background: var(--ink); color: var(--paper); }
:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 10px; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { background: var(--raised); font-weight: 600; }
th button { border: 0; padding: 0; background: none; font-weight: 600; text-decoration: underline; }
th[aria-sort] button::after { content: ' ▾'; }
tbody th { font-family: ui-monospace, monospace; font-weight: 400; background: none; }
td button { padding: 0 8px; min-height: 26px; }
.failed { color: var(--red); } .draining, .disposing { color: var(--amber); } .leased { color: var(--blue); }
nav { display: flex; gap: 12px; align-items: center; margin: 10px 0; }
#outcome { min-height: 1.5em; }
.skip { position: absolute; left: -999px; } .skip:focus { left: 8px; top: 8px; background: var(--paper); padding: 6px; }
`;

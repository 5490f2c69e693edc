"""The style sheet of the HTML report: system fonts, colours for light and for dark, tables that fit a phone."""

STYLE = """
:root { color-scheme: light dark; --fg: #1c1e21; --bg: #fdfdfc; --dim: #666c74; --rule: #d9dce0; --band: #4a78b833;
  --line: #2458a6; --critical: #b3261e; --warning: #8a5a00; --unknown: #6b4fa0; --ok: #2c6e3f; --pending: #666c74; }
@media (prefers-color-scheme: dark) { :root { --fg: #e3e5e8; --bg: #16181b; --dim: #9aa1aa; --rule: #363b42;
  --band: #7faaeb40; --line: #8ab4f8; --critical: #ff8a80; --warning: #f2bd55; --unknown: #c3a6ff; --ok: #7fcf95;
  --pending: #9aa1aa; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--fg); background: var(--bg); max-width: 64rem;
  margin: 1.5rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.35rem; } h2 { font-size: 1.1rem; } h3 { font-size: 1rem; }
section { border-top: 1px solid var(--rule); margin-top: 1.5rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; overflow-wrap: normal;
  font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th:first-child { text-align: left; } thead th, figcaption, .axis { color: var(--dim); }
figure { margin: .8rem 0; } svg { width: 100%; height: auto; max-width: 44rem; display: block; }
.critical { color: var(--critical); --tone: var(--critical); }
.warning { color: var(--warning); --tone: var(--warning); }
.unknown { color: var(--unknown); --tone: var(--unknown); } .ok { color: var(--ok); --tone: var(--ok); }
.pending { color: var(--pending); --tone: var(--pending); }
.axis { fill: var(--dim); font-size: 11px; } .grid { stroke: var(--rule); stroke-width: .6; }
.line { stroke: var(--line); stroke-width: 1.4; fill: none; } .dot { fill: var(--line); }
.band { fill: var(--band); } .mark { stroke: var(--fg); stroke-width: 1.4; stroke-dasharray: 2 3; }
.usual { fill: var(--dim); fill-opacity: .13; } .begin { stroke: var(--fg); stroke-width: 1.6; }
.trend { stroke: var(--warning); stroke-width: 1.6; fill: none; stroke-dasharray: 8 3; }
.limit { stroke: var(--tone); stroke-width: 1.2; stroke-dasharray: 6 4; }
.span { fill: var(--tone); fill-opacity: .16; }
@media print { details { display: block; } section { break-inside: avoid; } }
"""

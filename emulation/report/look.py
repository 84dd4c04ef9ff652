"""How the report looks, and the one thing that a script does: sort tables."""

STYLE = """
:root{--ink:#1d2733;--soft:#5d6b7a;--line:#d9dfe6;--paper:#fff;--tint:#f4f6f9;--bad:#b3261e;--good:#1b7f4b}
:root{--c0:#2f6fd0;--c1:#d97706;--c2:#1b8a6b;--c3:#b0427f;--c4:#6d5bd0;--c5:#8a8f1d;--c6:#0891a5;--c7:#a0522d}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#9aa7b5;--line:#38424e;--paper:#151a20;
--tint:#1e252d;--bad:#ff8a80;--good:#6fd49c;--c0:#6ea3f5;--c1:#f2a94b;--c2:#4cc3a0;--c3:#e183b6}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1280px;padding:24px;color:var(--ink);background:var(--paper);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:26px;margin:0 0 4px}h2{font-size:20px;margin:40px 0 12px;border-bottom:1px solid var(--line);
padding-bottom:6px}h3{font-size:16px;margin:24px 0 8px}h4{margin:16px 0 6px}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin:12px 0}a{color:var(--c0)}
.run>h1{margin-top:56px}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:12px}
.card{background:var(--tint);border-radius:8px;padding:12px 14px}
.card h3{margin:0;font-size:13px;font-weight:500;color:var(--soft)}
.card b{display:block;font-size:22px}.card span{font-size:13px;color:var(--soft)}
.banner{border:2px solid var(--bad);border-radius:8px;padding:12px 16px;margin:16px 0}
.banner strong,.bad{color:var(--bad);font-weight:600}.good{color:var(--good);font-weight:600}
.changed{background:var(--tint);font-weight:600}
.scroll{overflow-x:auto;max-height:560px;overflow-y:auto}
table{border-collapse:collapse;font-size:13.5px;min-width:100%}
caption{text-align:left;color:var(--soft);padding:4px 0}
th,td{padding:4px 10px;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
th{position:sticky;top:0;background:var(--paper);white-space:nowrap}
.sorts th{cursor:pointer}th[aria-sort=ascending]::after{content:" \\2191"}
th[aria-sort=descending]::after{content:" \\2193"}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.empty{color:var(--soft)}
figure{margin:16px 0}figcaption{color:var(--soft);font-size:13.5px;margin-bottom:4px}
svg.chart{width:100%;max-width:920px;height:auto;display:block;overflow:visible;font-family:inherit}
.label{font-size:12px;fill:var(--ink)}.tick{font-size:11px;fill:var(--soft)}.strong{fill:var(--paper)}
.name{font-size:13px;font-weight:600;fill:var(--ink)}
.grid{stroke:var(--line);stroke-width:1}.line{fill:none;stroke-width:1.6}
.band{fill:var(--bad);fill-opacity:.13}.crash{fill:var(--bad)}
.heat{fill:var(--c0)}.whisker{stroke:var(--soft);stroke-width:1.4}.median{stroke:var(--ink);stroke-width:2}
.node{fill:var(--tint);stroke:var(--soft)}rect.network{fill:var(--paper);stroke-width:2}
.wire{fill:none;stroke-width:2;stroke-opacity:.65}
details{border:1px solid var(--line);border-radius:8px;padding:8px 14px;margin:8px 0}summary{cursor:pointer}
pre{background:var(--tint);padding:10px;overflow-x:auto;font-size:12px;border-radius:6px}
@media print{details{break-inside:avoid}.scroll{max-height:none;overflow:visible}}
""" + "".join(
    f".line.c{n},.wire.c{n},rect.network.c{n}{{stroke:var(--c{n})}}"
    f".fill.c{n},.c{n} .fill{{fill:var(--c{n})}}"
    for n in range(8)
)

SCRIPT = """
for (const table of document.querySelectorAll('table')) {
  table.classList.add('sorts');
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.addEventListener('click', () => {
    const up = head.getAttribute('aria-sort') === 'descending';
    heads.forEach(each => each.removeAttribute('aria-sort'));
    head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    const value = row => row.cells[column].dataset.value;
    const order = (a, b) => value(a) === undefined || value(b) === undefined
      ? a.cells[column].textContent.localeCompare(b.cells[column].textContent)
      : value(a) - value(b);
    const rows = [...table.tBodies[0].rows].sort(order);
    table.tBodies[0].append(...(up ? rows : rows.reverse()));
  }));
}
const open = () =>
  document.getElementById(location.hash.slice(1))?.closest('details')?.setAttribute('open', '');
addEventListener('hashchange', open);
open();
"""

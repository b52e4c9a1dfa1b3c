/**
 * The report's style sheet. No `url()` and no style attributes: the content security policy allows this sheet by its
 * hash alone.
 */
export const REPORT_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #faf9f6; --raised: #ffffff; --ink: #1d1c1a; --soft: #5f5c55; --line: #e3dfd6; --faint: #efece5;
  --accent: #1c5d8c; --held: #8a6fb3; --test: #3f8f86;
  --normal: #1b7347; --normal-soft: #e2f2e8; --warning: #8a5a00; --warning-soft: #fbefd6; --failure: #ad2c22; --failure-soft: #fbe5e2;
  --stage: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131416; --raised: #1a1b1e; --ink: #ecebe7; --soft: #a5a29a; --line: #2e2f33; --faint: #222327;
    --accent: #6db3e2; --held: #b79ee0; --test: #6cc7bc;
    --normal: #63c990; --normal-soft: #16301f; --warning: #e5b455; --warning-soft: #33270f; --failure: #f08a80; --failure-soft: #3a1a17;
    --stage: #222327;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main, .top { max-width: 1120px; margin: 0 auto; padding: 0 clamp(16px, 4vw, 40px); }
a { color: inherit; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 3px; }
h1, h2, h3 { line-height: 1.15; letter-spacing: -0.015em; font-weight: 650; margin: 0; }
h1 { font-size: clamp(2rem, 5vw, 3.1rem); letter-spacing: -0.03em; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; }
h3 { font-size: 1rem; letter-spacing: 0; }
p { margin: 0; }
section { padding: 44px 0 0; }
section > h2 { margin-bottom: 6px; }
.lead { color: var(--soft); max-width: 68ch; margin-bottom: 20px; }
.note { color: var(--soft); font-size: 0.86rem; max-width: 78ch; }
.top { display: flex; justify-content: space-between; gap: 16px; align-items: center; padding-top: 20px; padding-bottom: 20px; font-size: 0.88rem; color: var(--soft); }
.brand { display: inline-flex; gap: 9px; align-items: center; color: var(--ink); font-weight: 650; letter-spacing: -0.01em; font-size: 1rem; }
.brand svg { width: 19px; height: 19px; }
.hero { display: grid; grid-template-columns: minmax(0, 1fr); gap: 28px clamp(24px, 5vw, 64px); align-items: center; padding: 28px 0 36px; }
.hero.pictured { grid-template-columns: minmax(0, 1fr) minmax(220px, 340px); }
.hero img { display: block; width: 100%; height: auto; border-radius: 14px; background: var(--stage); border: 1px solid var(--line); }
.kicker { color: var(--soft); font-size: 0.9rem; margin-top: 10px; }
.hero .status { margin-bottom: 14px; }
.verdict { font-size: clamp(1.12rem, 2vw, 1.36rem); line-height: 1.42; max-width: 40ch; margin-top: 18px; text-wrap: pretty; }
.status { display: inline-flex; align-items: center; gap: 7px; padding: 3px 12px 3px 9px; border-radius: 99px; font-weight: 600; font-size: 0.86rem; line-height: 1.5; white-space: nowrap; }
.status svg { width: 14px; height: 14px; flex: none; }
.status.normal { color: var(--normal); background: var(--normal-soft); }
.status.warning { color: var(--warning); background: var(--warning-soft); }
.status.failure { color: var(--failure); background: var(--failure-soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(122px, 1fr)); margin: 0; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); gap: 0 18px; }
.figures div { padding: 16px 0 15px; min-width: 0; }
.figures dt { color: var(--soft); font-size: 0.83rem; }
.figures dd { margin: 1px 0 0; font-size: 1.62rem; font-weight: 620; letter-spacing: -0.02em; line-height: 1.25; }
.figures dd small { font-size: 0.88rem; font-weight: 500; color: var(--soft); letter-spacing: 0; margin-left: 3px; }
.figures .of { display: block; color: var(--soft); font-size: 0.8rem; margin: 0; font-weight: 400; letter-spacing: 0; }
.advice { list-style: none; margin: 14px 0 0; padding: 0; border-top: 1px solid var(--line); }
.advice li { display: grid; grid-template-columns: 22px minmax(0, 1fr); gap: 12px; padding: 13px 0; border-bottom: 1px solid var(--line); }
.advice svg { width: 18px; height: 18px; margin-top: 3px; }
.advice .problem svg { color: var(--failure); }
.advice .hint svg { color: var(--accent); }
.advice p { max-width: 86ch; text-wrap: pretty; }
.advice .where { color: var(--soft); font-size: 0.86rem; margin-top: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.93rem; }
th, td { text-align: right; padding: 9px 0 9px 22px; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: baseline; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { color: var(--soft); font-weight: 500; font-size: 0.83rem; border-bottom-color: var(--soft); }
tbody th { font-weight: 560; }
td .worst { display: block; color: var(--soft); font-size: 0.78rem; }
.scroll + .note { margin-top: 12px; }
.left, td.left, th.left { text-align: left; }
.wrap { white-space: normal; overflow-wrap: anywhere; }
.chart { margin: 22px 0 0; }
.chart svg { display: block; max-width: none; }
.charts { display: flex; flex-wrap: wrap; gap: 18px 30px; }
.chart text { fill: var(--soft); font-size: 11px; font-family: inherit; }
.chart .title { fill: var(--ink); font-size: 12.5px; font-weight: 600; }
.chart .value { fill: var(--ink); }
.grid-line { stroke: var(--line); stroke-width: 1; }
.floor-line { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 3; }
.bar-input { fill: var(--accent); } .bar-heldOut { fill: var(--held); } .bar-test { fill: var(--test); }
.chart a:hover rect { opacity: 0.75; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 0.84rem; color: var(--soft); margin-top: 8px; align-items: center; }
.legend svg { height: 11px; vertical-align: -1px; margin-right: 6px; }
.views { display: grid; gap: 34px 32px; margin-top: 26px; grid-template-columns: minmax(0, 1fr); }
.views.many { grid-template-columns: repeat(auto-fill, minmax(min(460px, 100%), 1fr)); }
.view { min-width: 0; scroll-margin-top: 16px; }
.view header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 12px; margin-bottom: 9px; }
.view h3 { overflow-wrap: anywhere; }
.view .group { font-size: 0.82rem; color: var(--soft); }
.view .status { margin-left: auto; font-size: 0.78rem; padding: 1px 10px 1px 7px; align-self: center; }
.triple { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 8px; }
figure { margin: 0; }
figure img { display: block; width: 100%; height: auto; border-radius: 8px; background: var(--stage); border: 1px solid var(--line); }
figcaption { color: var(--soft); font-size: 0.8rem; margin-top: 4px; }
.measures { display: flex; flex-wrap: wrap; gap: 2px 20px; margin: 6px 0 0; font-size: 0.86rem; color: var(--soft); }
.measures div { display: flex; gap: 6px; } .measures dt { margin: 0; } .measures dd { margin: 0; color: var(--ink); font-weight: 550; }
.plans { display: flex; flex-wrap: wrap; gap: 20px 56px; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(330px, 100%), 1fr)); gap: 30px 56px; margin-top: 14px; }
.facts { margin: 8px 0 0; }
.facts > div { display: flex; justify-content: space-between; gap: 20px; padding: 7px 0; border-bottom: 1px solid var(--line); font-size: 0.93rem; }
.facts dt { color: var(--soft); flex: none; max-width: 60%; } .facts dd { margin: 0; text-align: right; overflow-wrap: anywhere; min-width: 0; }
.facts .nested { display: block; } .facts .nested > dt { color: var(--ink); font-weight: 560; } .facts .nested > dd { text-align: left; padding-left: 14px; }
.facts .nested .facts { margin: 0; } .facts .nested .facts > div:last-child { border-bottom: 0; }
.narrow { max-width: 660px; }
.chart + .columns, .chart + .narrow { margin-top: 26px; }
.inner-table { margin: 4px 0 10px; } .inner-table th, .inner-table td { padding-top: 5px; padding-bottom: 5px; }
.bad { color: var(--failure); font-weight: 600; } .good { color: var(--normal); font-weight: 600; }
.time-bar { fill: var(--accent); } .time-track { fill: var(--faint); }
.share svg { width: 150px; }
.curve { fill: none; stroke: var(--accent); stroke-width: 1.75; stroke-linejoin: round; }
.camera-input { stroke: var(--accent); fill: var(--accent); } .camera-heldOut { stroke: var(--held); fill: var(--held); } .camera-test { stroke: var(--test); fill: var(--test); }
.object-box { fill: var(--faint); stroke: var(--soft); stroke-width: 1; }
.sheet { margin-top: 16px; }
details { border-bottom: 1px solid var(--line); }
details:first-of-type { border-top: 1px solid var(--line); }
.portrait details.turn { border: 0; }
.portrait:has(details[open]) > img { display: none; }
dd details, dd details:first-of-type { border: 0; } dd summary { padding: 5px 0; font-weight: 500; }
summary { cursor: pointer; padding: 12px 0; font-weight: 560; }
summary span { color: var(--soft); font-weight: 400; }
details > div { padding: 0 0 18px; }
pre { margin: 0; font: 0.82rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-x: auto; background: var(--faint); border-radius: 8px; padding: 14px 16px; }
code { font: 0.86em ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
footer { color: var(--soft); font-size: 0.84rem; margin-top: 56px; padding: 18px 0 48px; border-top: 1px solid var(--line); }
@media (max-width: 720px) {
  .hero.pictured { grid-template-columns: minmax(0, 1fr); }
  .hero.pictured .portrait { max-width: 260px; }
  section { padding-top: 36px; }
  .triple { gap: 5px; }
  th, td { padding-left: 16px; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print {
  :root { --paper: #fff; --raised: #fff; --ink: #000; --soft: #444; --line: #ccc; --faint: #f2f2f2; --stage: #fff;
    --accent: #1c5d8c; --held: #6a4f93; --test: #2f7f76; --normal: #1b7347; --warning: #8a5a00; --failure: #ad2c22;
    --normal-soft: #fff; --warning-soft: #fff; --failure-soft: #fff; color-scheme: light; }
  body { font-size: 10.5pt; }
  main, .top { max-width: none; padding: 0; }
  section { padding-top: 22pt; }
  h2, h3, .lead { break-after: avoid; }
  .hero.pictured { grid-template-columns: minmax(0, 1fr) 190pt; }
  .columns { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 20pt 28pt; }
  .share svg { width: 80px; }
  th, td { padding-left: 12px; }
  .view, .advice li, tr, .chart, figure { break-inside: avoid; }
  .views.many { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16pt; }
  .scroll { overflow: visible; }
  .bar-input, .bar-heldOut, .bar-test, .time-bar, .time-track { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

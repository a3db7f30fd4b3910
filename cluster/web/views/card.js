// A report card: what may be believed of one variant, section by section.

import { lines } from "../charts.js";
import { h, link, note, section, synthetic, table } from "../dom.js";
import { percent, setting, short, title } from "../format.js";
import { segment } from "../api.js";

// The card writes what is not finite as a word.
const numeric = value => (typeof value === "number" ? value : { nan: NaN, inf: Infinity, "-inf": -Infinity }[value] ?? NaN);
const written = (value, unit) => (value === null ? "–" : typeof value !== "number" ? (value === "nan" ? "–" : String(value)) : unit === "percent" ? percent(value) : Number.isInteger(value) ? setting(value) : short(value));

// Figures of a card are fractions where their names say so.
const FRACTION = /return|drawdown|share|participation|probability|expectancy|concentration|win_rate|exposure/;
const unit = name => (FRACTION.test(name) ? "percent" : "");

export function card(found) {
  return section("Report card", { class: "report-card" },
    h("p", null, "What may be believed of ", found.evaluation ? link(`#/evaluations/${segment(found.evaluation)}`, found.play) : found.play, `, judged on ${found.markets.join(", ")}.`),
    found.synthetic ? synthetic() : null,
    found.sections.map(part));
}

function part(each) {
  const figures = Object.entries(each.figures).map(([name, value]) => [title(name), written(value, unit(name))]);
  const withheld = Object.entries(each.withheld).map(([name, reason]) => [title(name), [{ class: "word" }, `withheld: ${reason}`]]);
  return h("details", { open: each.refused === null }, h("summary", null, each.title, each.refused === null ? null : h("span", { class: "badge failed" }, "refused")),
    each.refused === null ? null : h("p", { class: "warning" }, each.refused),
    each.notes.map(text => note(text)),
    figures.length + withheld.length ? table(`Figures of ${each.title}`, [{ name: "Figure", head: true }, { name: "Value" }], [...figures, ...withheld]) : null,
    each.tables.map(shown => h("div", null, h("h3", null, shown.title),
      table(shown.title, shown.head.map((name, at) => ({ name, head: at === 0 })), shown.rows.map(row => row.map((cell, at) => written(cell, shown.units[at])))))),
    each.charts.filter(chart => chart.kind === "lines").map(chart => h("div", null, h("h3", null, chart.title),
      drawn(chart))));
}

function drawn(chart) {
  const size = chart.unit === "percent" ? 100 : 1;
  const wanted = Object.entries(chart.series).map(([name, values], at) => ({ name, class: `best hue-${at % 6}`, points: values.map((value, index) => [index, size * numeric(value)]) }));
  return lines(chart.title, { x: "", y: chart.unit }, wanted);
}

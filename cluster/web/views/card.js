// A report card: what the gates say of one variant, then what was found, section by section.

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
const leaf = figure => figure.split(".").at(-1);

export function card(found, verdict) {
  const failed = new Map();
  for (const rule of verdict?.results ?? []) failed.set(part(rule), (failed.get(part(rule)) ?? 0) + (rule.passed ? 0 : 1));
  return section("Report card", { class: "report-card" },
    h("p", null, "How credible is ", found.evaluation ? link(`#/evaluations/${segment(found.evaluation)}`, found.play) : found.play, `, judged on ${found.markets.join(", ")}?`),
    found.synthetic ? synthetic() : null,
    found.sections.map(each => opened(each, failed.get(each.name))));
}

const part = rule => rule.figure.split(".")[0];

// Words between backticks are commands.
const coded = text => text.split("`").map((words, at) => (at % 2 ? h("code", null, words) : words));

// The rules, those that failed first, with what would help; null for a card that is older than its verdict.
export function gates(verdict) {
  if (!verdict) return null;
  const rows = [...verdict.results].sort((a, b) => a.passed - b.passed).map(rule => [
    h("span", { class: `badge ${rule.passed ? "ok" : "failed"}` }, rule.passed ? "passed" : "failed"), [{ title: rule.figure }, rule.rule],
    rule.value === null ? "missing" : written(numeric(rule.value), unit(leaf(rule.figure))), `${rule.comparison} ${written(rule.threshold, unit(leaf(rule.figure)))}`,
    [{ class: "wrap" }, rule.why], [{ class: "wrap" }, coded(rule.help)]]);
  return section("Gates", { class: `gates ${verdict.passed ? "passed" : "failed"}` },
    h("p", { class: verdict.passed ? "good" : "failure" }, h("strong", null, verdict.headline)),
    table("Rules of the gates", [{ name: "", word: true }, { name: "Rule", head: true }, { name: "Is" }, { name: "Needs" }, { name: "Why it failed", word: true }, { name: "What would help", word: true }], rows),
    note(`Gates ${verdict.gates}, ${verdict.gates_hash.slice(0, 12)}. Commands begin with coinswarm.`));
}

// A section is open where a rule that asks for one of its figures failed; `failed` is undefined where none asks.
function opened(each, failed) {
  const figures = Object.entries(each.figures).map(([name, value]) => [title(name), written(value, unit(name))]);
  const withheld = Object.entries(each.withheld).map(([name, reason]) => [title(name), [{ class: "word" }, `withheld: ${reason}`]]);
  const standing = each.refused !== null ? "refused" : failed ? `${failed} failed` : failed === 0 ? "passed" : "";
  return h("details", { open: failed > 0 }, h("summary", null, each.title, standing ? h("span", { class: `badge ${standing === "passed" ? "ok" : "failed"}` }, standing) : null),
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
  return lines(chart.title, { x: "", y: chart.unit, places: chart.labels }, wanted);
}

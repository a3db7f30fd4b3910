// What a search found: the leaderboard, the objectives against each other, and the map of kinds.

import { get, segment } from "../api.js";
import { map, scatter } from "../charts.js";
import { empty, failure, h, link, note, section, table } from "../dom.js";
import { count, figure, setting, shade, short, shortId, SHOWN, title } from "../format.js";

const SAMPLE = 1000;
const NARROW = new Set(["total_return", "sharpe"]);

// Replaces a part only once there is something newer, so that nothing flickers while a job runs.
async function renewed(place, signal, name, make) {
  try {
    const content = await make();
    if (!signal.aborted) place.replaceChildren(section(name, {}, content));
  } catch (error) {
    if (!signal.aborted) place.replaceChildren(section(name, {}, failure(error)));
  }
}

export function leaderboard(place, job, signal) {
  return renewed(place, signal, "Leaderboard", async () => {
    const found = await get(`/jobs/${segment(job.id)}/leaderboard`, { limit: 20 }, signal);
    if (!found.rows.length) return empty("No variant has a fitness yet.");
    return h("div", null, note(`${tried(found, job)} The more were tried, the more of the left side is luck; `,
      h("b", { class: "held" }, "out of sample"), " was never shown to the search, and only winners are scored on it."), leaders(found.rows, job));
  });
}

const tried = ({ distinct, trials }, { campaign }) =>
  `${distinct === null ? "" : `The best of ${count(distinct)} different variants of this job. `}The campaign “${campaign}” tried ${count(trials)} in all.`;

// On a narrow screen both sides still stand side by side, with fewer figures each.
const column = (name, at) => `${at ? "" : "first"} ${NARROW.has(name) ? "" : "wide"}`;
const groups = (span, kind) => [["In sample", ""], ["Out of sample", "held"]].map(([words, side]) => h("th", { scope: "colgroup", colspan: span, class: `group ${side} ${kind}` }, words));

function leaders(rows, job) {
  const head = h("thead", null,
    h("tr", null, h("td", { colspan: 3, class: "wide" }), h("td", { class: "narrow" }), groups(SHOWN.length, "wide"), groups(NARROW.size, "narrow"), h("td", { class: "wide" })),
    h("tr", null, h("th", { scope: "col", class: "wide" }, "#"), h("th", { scope: "col", class: "word" }, "Variant"), h("th", { scope: "col", class: "wide" }, "Fitness"),
      ["", "held"].flatMap(side => SHOWN.map((name, at) => h("th", { scope: "col", class: `${side} ${column(name, at)}` }, title(name)))), h("th", { scope: "col", class: "word wide" }, "Parameters")));
  const cells = (figures, side) => SHOWN.map((name, at) => {
    const value = figures[name] ?? null;
    return h("td", { class: `${side} ${shade(name, value)} ${column(name, at)}` }, figure(name, value));
  });
  const body = rows.map(row => h("tr", null, h("td", { class: "wide" }, String(row.rank)),
    h("th", { scope: "row", class: "word" }, link(`#/evaluations/${segment(row.evaluation)}`, shortId(row.evaluation))), h("td", { class: "wide" }, short(row.fitness)),
    cells(row.in_sample, ""), cells(row.out_of_sample, "held"), h("td", { class: "word small wide parameters", title: parameters(row.params) }, parameters(row.params))));
  return h("div", { class: "scroll leaders", tabindex: 0, role: "region", "aria-label": "Leaderboard" },
    h("table", null, h("caption", { class: "hidden" }, `The best variants of job ${job.id}, in and out of sample side by side`), head, h("tbody", null, body)));
}

const parameters = params => Object.entries(params).map(([name, value]) => `${name} ${setting(value)}`).join(", ");

export function pareto(place, job, names, signal) {
  if (names.length < 2) return place.replaceChildren();
  const directions = job.config.search.objectives.map(objective => (objective.direction === "min" ? -1 : 1));
  return renewed(place, signal, "Objectives against each other", async () => {
    const { rows } = await get("/evaluations", { job: job.id, limit: SAMPLE }, signal);
    const points = distinct(rows.filter(row => row.status === "ok" && row.objectives.length >= 2 && row.objectives.every(value => value !== null)));
    if (!points.length) return empty("No variant has all objectives yet.");
    return plane(points, names, directions, job.config.search.constraints ?? []);
  });
}

// Variants that no objective tells apart are one point.
const distinct = rows => [...new Map(rows.map(row => [JSON.stringify(row.objectives), row])).values()];

function plane(points, names, directions, limits) {
  const front = nondominated(points, directions);
  const place = h("div"), axes = [0, 1];
  const pick = (at, text) => h("label", null, text, " ", h("select", { onchange: event => { axes[at] = Number(event.target.value); draw(); } }, names.map((name, index) => h("option", { value: index, selected: index === axes[at] }, title(name)))));
  const draw = () => place.replaceChildren(scatter(`${title(names[axes[0]])} against ${title(names[axes[1]])}; ${front.size} variants are on the Pareto front`,
    { x: title(names[axes[0]]), y: title(names[axes[1]]) },
    [...points].sort((a, b) => front.has(a.id) - front.has(b.id)).map(point => ({
      x: point.objectives[axes[0]], y: point.objectives[axes[1]], class: front.has(point.id) ? "front" : "behind",
      href: front.has(point.id) ? `#/evaluations/${segment(point.id)}` : undefined,
      title: `${shortId(point.id)}: ${names.map((name, at) => `${title(name)} ${figure(name, point.objectives[at])}`).join(", ")}`,
    }))));
  draw();
  return h("div", null, names.length > 2 ? h("p", { class: "toolbar" }, pick(0, "Across"), pick(1, "Up")) : null,
    h("p", { class: "legend" }, h("span", { class: "key front" }, `${front.size} on the Pareto front`), h("span", { class: "key behind" }, `${points.length - front.size} that another one beats in everything`)), place,
    note(`Of the ${count(SAMPLE)} fittest that traded, in sample: each on the front is better in something than every other one there.`,
      limits.length ? ` Limits are not looked at here: ${limits.map(each => `${title(each.figure)} ${each.operator} ${setting(each.threshold)}`).join(", ")}.` : ""),
    h("details", null, h("summary", null, "The front as a table"), frontTable(points.filter(point => front.has(point.id)), names)));
}

function frontTable(points, names) {
  const rows = points.map(point => [link(`#/evaluations/${segment(point.id)}`, shortId(point.id)), ...names.map((name, at) => figure(name, point.objectives[at])), String(point.generation)]);
  return table("Variants on the Pareto front", [{ name: "Variant", head: true }, ...names.map(name => ({ name: title(name) })), { name: "Generation" }], rows);
}

export function nondominated(points, directions) {
  const better = (a, b) => {
    const gaps = directions.map((direction, at) => direction * (a.objectives[at] - b.objectives[at]));
    return gaps.every(gap => gap >= 0) && gaps.some(gap => gap > 0);
  };
  return new Set(points.filter(point => !points.some(other => better(other, point))).map(point => point.id));
}

export function archive(place, job, signal) {
  return renewed(place, signal, "Behaviour map", async () => {
    const found = await get(`/jobs/${segment(job.id)}/archive`, {}, signal);
    const filled = found.filter(each => each.kinds.length);
    return filled.length ? h("div", null, filled.map(kinds)) : empty("No variant has traded yet.");
  });
}

function edges(axis) {
  const at = share => (axis.log ? Math.exp(Math.log(axis.low) + share * (Math.log(axis.high) - Math.log(axis.low))) : axis.low + share * (axis.high - axis.low));
  return Array.from({ length: axis.cells + 1 }, (_, index) => Number(at(index / axis.cells).toPrecision(2)));
}

// The index of a cell along each axis; the last axis varies fastest.
function coordinates(cell, grid) {
  const found = [];
  for (let at = grid.length - 1, rest = cell; at >= 0; rest = Math.floor(rest / grid[at].cells), at--) found[at] = rest % grid[at].cells;
  return found;
}

function kinds(each) {
  const place = h("div"), axes = [0, 1];
  const draw = () => {
    const best = new Map();
    for (const kind of each.kinds) {
      const at = coordinates(kind.cell, each.grid), key = `${at[axes[0]]}/${at[axes[1]]}`;
      if (!best.has(key) || (kind.quality ?? -Infinity) > (best.get(key).quality ?? -Infinity)) best.set(key, { ...kind, at });
    }
    const [across, up] = axes.map(axis => each.grid[axis]);
    place.replaceChildren(map(`The best variant of each kind, by ${title(across.name)} and ${title(up.name)}`, { x: title(across.name), y: title(up.name) }, edges(across), edges(up),
      [...best.values()].map(kind => ({
        column: kind.at[axes[0]], row: kind.at[axes[1]], value: kind.quality ?? NaN, href: `#/evaluations/${segment(kind.evaluation)}`,
        title: `fitness ${short(kind.quality)}: ${each.grid.map((axis, index) => `${title(axis.name)} ${figure(axis.name, kind.behaviour[index])}`).join(", ")}`,
      }))));
  };
  const pick = (at, text) => h("label", null, text, " ", h("select", { onchange: event => { axes[at] = Number(event.target.value); draw(); } }, each.grid.map((axis, index) => h("option", { value: index, selected: index === axes[at] }, title(axis.name)))));
  draw();
  const rows = [...each.kinds].sort((a, b) => (b.quality ?? -Infinity) - (a.quality ?? -Infinity)).slice(0, 100).map(kind => [link(`#/evaluations/${segment(kind.evaluation)}`, shortId(kind.evaluation)), short(kind.quality), ...each.grid.map((axis, at) => figure(axis.name, kind.behaviour[at]))]);
  return h("div", null, h("p", { class: "toolbar" }, h("b", null, each.play), pick(0, "Across"), pick(1, "Up")), place,
    note(`${count(each.kinds.length)} of ${count(each.cells)} kinds were found; darker is fitter, in sample. Kinds that look alike here differ in the other axes, and the fittest of them is shown.`),
    h("details", null, h("summary", null, "The kinds as a table"), table("The best variant of each kind", [{ name: "Variant", head: true }, { name: "Fitness" }, ...each.grid.map(axis => ({ name: title(axis.name) }))], rows)));
}

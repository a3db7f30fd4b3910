// Searches on the page: their form, their fitness as it grows, and what they found.

import { post } from "../api.js";
import { lines } from "../charts.js";
import { empty, facts, failure, h, note, section, table } from "../dom.js";
import { count, setting, short, title, variants } from "../format.js";
import { ENDED } from "../progress.js";
import { sending } from "../views/form.js";
import { archive, leaderboard, pareto } from "../views/found.js";

const OBJECTIVES = [["sharpe", "max", "Sharpe"], ["total_return", "max", "Return"], ["calmar", "max", "Calmar"], ["max_drawdown", "min", "Max drawdown (small)"], ["profit_factor", "max", "Profit factor"]];

const field = (id, text, input, help) => h("div", { class: "field" }, h("label", { for: id }, text), input, help ? h("p", { class: "note", id: `${id}-help` }, help) : null);
const whole = (id, value, min, max) => h("input", { id, type: "number", value, min, max, step: 1, required: true });

function boxes(legend, name, given) {
  return h("fieldset", null, h("legend", null, legend), given.map(([value, text, checked], at) => h("label", { for: `${name}-${at}` }, h("input", { id: `${name}-${at}`, type: "checkbox", name, value, checked }), " ", text)));
}

// What is not asked for here is left to the server, whose defaults are those of the command line.
const OVER = { sum: " over all markets", worst: "", mean: " on average", min: "", max: "" };
const limits = constraints => constraints.map(each => `${title(each.figure)} ${each.operator} ${setting(each.threshold)}${OVER[each.scope]}`).join(", ") || "none";

export function form(kind, sets) {
  const { defaults } = kind;
  const { search, ...usual } = defaults;
  const play = h("textarea", { id: "play", rows: 16, spellcheck: "false", required: true, "aria-describedby": "play-help" });
  const inputs = {
    population: whole("population", search.population, 2, 1000000), generations: whole("generations", search.generations, 1, 1000000), seed: whole("seed", search.seed, 0, Number.MAX_SAFE_INTEGER),
    held: h("input", { id: "held", type: "number", value: usual.out_of_sample * 100, min: 0, max: 95, step: 1, required: true }), campaign: h("input", { id: "campaign", value: usual.campaign, required: true, maxlength: 200 }),
  };
  const said = h("div", { "aria-live": "polite" }), button = h("button", { type: "submit", class: "primary" }, "Submit");
  const made = h("form", null,
    field("play", "Play (YAML)", play, "Any parameter may be a list or a range: the play then describes the variants that are searched."),
    h("p", { class: "toolbar" }, h("input", { type: "file", id: "file", accept: ".yml,.yaml", "aria-label": "Read the play from a file", onchange: async event => { play.value = await event.target.files[0]?.text() ?? play.value; } }), h("button", { type: "button", onclick: () => check(play.value, said) }, "Check the play")),
    sets.length ? boxes("Markets", "market", sets.map(set => [set.key, `${set.key} (${count(set.n_bars)} bars${set.synthetic ? ", synthetic" : ""})`, false])) : empty("There are no bars on this server yet."),
    boxes("Objectives", "objective", OBJECTIVES.map(([value, , text]) => [value, text, search.objectives.some(each => each.name === value)])),
    h("div", { class: "fields" }, field("population", "Population", inputs.population), field("generations", "Generations", inputs.generations), field("held", "Held out (%)", inputs.held), field("seed", "Seed", inputs.seed), field("campaign", "Campaign", inputs.campaign)),
    note(`Limits: ${limits(search.constraints)}. ${count(usual.winners)} winners are scored on what is held out${usual.baselines ? "; random parameters are tried at equal cost" : ""}.`),
    said, h("p", { class: "toolbar" }, button));
  return sending(made, () => request(made, kind, play, inputs), said, button);
}

function request(made, kind, play, inputs) {
  const chosen = name => [...made.querySelectorAll(`input[name="${name}"]:checked`)].map(box => box.value);
  const objectives = OBJECTIVES.filter(([value]) => chosen("objective").includes(value)).map(([value, direction]) => ({ name: value, direction }));
  return {
    kind: kind.name, plays: [{ text: play.value }], markets: chosen("market"), out_of_sample: Number(inputs.held.value) / 100, campaign: inputs.campaign.value,
    search: { population: Number(inputs.population.value), generations: Number(inputs.generations.value), seed: Number(inputs.seed.value), objectives },
  };
}

async function check(text, said) {
  said.replaceChildren(note("It is checked…"));
  try {
    const found = await post("/plays/check", { text });
    said.replaceChildren(h("div", { class: "good" }, h("strong", null, `${found.name} can be searched`), facts([["Variants", variants(found)], ["Dimensions", String(Object.keys(found.dimensions).length)]]), found.notes.map(each => note(each))));
  } catch (error) {
    said.replaceChildren(failure(error));
  }
}

// What is shown of the steps: fitness over generations, once there is some.
export function live(progress, job) {
  const drawn = growth(progress, job);
  return section("Fitness over generations", {}, drawn ?? empty(ENDED.has(job.status) ? "Nothing was told." : "No generation has been scored yet."));
}

export const begun = () => section("Leaderboard", {}, empty("The best variants appear here once the first generation is scored."));

export function found(parts, job, progress, signal) {
  if (progress.whole.length + (job.evaluations ?? 0) === 0) return;
  const names = (job.config.search?.objectives ?? []).map(objective => objective.name);
  leaderboard(parts.leaders, job, signal);
  pareto(parts.pareto, job, names, signal);
  if (job.status !== "failed" || progress.whole.length) archive(parts.archive, job, signal);
}

function growth(progress, job) {
  const islands = new Map();
  for (const record of progress.islands) islands.set(record.island, [...(islands.get(record.island) ?? []), record]);
  if (!islands.size) return null;
  const line = (records, name) => [...records].sort((a, b) => a.generation - b.generation).map(record => [record.generation, record[name] ?? NaN]);
  const wanted = [...islands].sort(([a], [b]) => a - b).flatMap(([island, records]) => [
    { name: islands.size > 1 ? `best of island ${island}` : "best", class: `best hue-${island % 6}`, points: line(records, "best"), legend: islands.size <= 6 },
    { name: islands.size > 1 ? `median of island ${island}` : "median", class: `median hue-${island % 6}`, points: line(records, "median"), legend: islands.size <= 3 },
  ]);
  // fitness is larger for better: of what is to be small it is the figure with its sign turned
  const { name: objective = "fitness", direction } = job.config?.search?.objectives?.[0] ?? {};
  const last = [...islands].map(([island, records]) => records.reduce((a, b) => (b.generation > a.generation ? b : a)));
  const chart = lines("Best and median fitness over generations, in sample", { x: "generation", y: `${direction === "min" ? "−" : ""}${title(objective)}` }, wanted);
  const rows = last.map(record => [`island ${record.island}`, String(record.generation), short(record.best), short(record.median), short(record.diversity), count(record.figures.feasible ?? NaN), count(record.failures)]);
  return h("div", null, chart, note("In sample: what the search sees, and therefore better than what to expect."),
    h("details", null, h("summary", null, "Islands as they stand"), table("Islands", [{ name: "Island", head: true }, { name: "Generation" }, { name: "Best" }, { name: "Median" }, { name: "Diversity" }, { name: "Feasible" }, { name: "Failed" }], rows)));
}

// Handing a search in: a play as text, the markets, and how much to try.

import { get, post, requestName, segment } from "../api.js";
import { empty, facts, failure, h, into, note, section } from "../dom.js";
import { count, setting, title, variants } from "../format.js";
import { may } from "../session.js";

const OBJECTIVES = [["sharpe", "max", "Sharpe"], ["total_return", "max", "Return"], ["calmar", "max", "Calmar"], ["max_drawdown", "min", "Max drawdown (small)"], ["profit_factor", "max", "Profit factor"]];

export async function show(main, signal) {
  document.title = "New job · coinswarm";
  if (!may("submit")) return main.replaceChildren(section("New job", {}, empty("This token may look and change nothing; one with the role submit may hand in jobs.")));
  const place = h("div");
  main.replaceChildren(section("New job", {}, place));
  await into(place, "the markets", signal, async () => form(...await Promise.all([get("/data-sets", {}, signal), get("/defaults", {}, signal)])));
}

const field = (id, text, input, help) => h("div", { class: "field" }, h("label", { for: id }, text), input, help ? h("p", { class: "note", id: `${id}-help` }, help) : null);
const whole = (id, value, min, max) => h("input", { id, type: "number", value, min, max, step: 1, required: true });

function boxes(legend, name, given) {
  return h("fieldset", null, h("legend", null, legend), given.map(([value, text, checked], at) => h("label", { for: `${name}-${at}` }, h("input", { id: `${name}-${at}`, type: "checkbox", name, value, checked }), " ", text)));
}

// What is not asked for here is left to the server, whose defaults are those of the command line.
const limits = constraints => constraints.map(each => `${title(each.figure)} ${each.operator} ${setting(each.threshold)}`).join(", ") || "none";

function form(sets, defaults) {
  const { search, ...usual } = defaults.evolve;
  const play = h("textarea", { id: "play", rows: 16, spellcheck: "false", required: true, "aria-describedby": "play-help" });
  const inputs = {
    population: whole("population", search.population, 2, 1000000), generations: whole("generations", search.generations, 1, 1000000), seed: whole("seed", search.seed, 0, Number.MAX_SAFE_INTEGER),
    held: h("input", { id: "held", type: "number", value: usual.out_of_sample * 100, min: 0, max: 95, step: 1, required: true }), campaign: h("input", { id: "campaign", value: usual.campaign, required: true, maxlength: 200 }),
  };
  const said = h("div", { "aria-live": "polite" }), hand = h("button", { type: "submit", class: "primary" }, "Hand it in");
  const name = requestName();
  const made = h("form", null,
    field("play", "Play (YAML)", play, "Any parameter may be a list or a range: the play then describes the variants that are searched."),
    h("p", { class: "toolbar" }, h("input", { type: "file", id: "file", accept: ".yml,.yaml", "aria-label": "Read the play from a file", onchange: async event => { play.value = await event.target.files[0]?.text() ?? play.value; } }), h("button", { type: "button", onclick: () => check(play.value, said) }, "Check the play")),
    sets.length ? boxes("Markets", "market", sets.map(set => [set.key, `${set.key} (${count(set.n_bars)} bars${set.synthetic ? ", synthetic" : ""})`, false])) : empty("There are no bars on this server yet."),
    boxes("Objectives", "objective", OBJECTIVES.map(([value, , text]) => [value, text, search.objectives.some(each => each.name === value)])),
    h("div", { class: "fields" }, field("population", "Population", inputs.population), field("generations", "Generations", inputs.generations), field("held", "Held out (%)", inputs.held), field("seed", "Seed", inputs.seed), field("campaign", "Campaign", inputs.campaign)),
    note(`Limits: ${limits(search.constraints)}. ${count(usual.winners)} winners are scored on what is held out${usual.baselines ? "; random parameters are tried at equal cost" : ""}.`),
    said, h("p", { class: "toolbar" }, hand));
  const sent = { key: name, text: "" };
  made.addEventListener("submit", event => { event.preventDefault(); submit(made, request(made, play, inputs), said, hand, sent); });
  return made;
}

function request(made, play, inputs) {
  const chosen = name => [...made.querySelectorAll(`input[name="${name}"]:checked`)].map(box => box.value);
  const objectives = OBJECTIVES.filter(([value]) => chosen("objective").includes(value)).map(([value, direction]) => ({ name: value, direction }));
  return {
    kind: "evolve", plays: [{ text: play.value }], markets: chosen("market"), out_of_sample: Number(inputs.held.value) / 100, campaign: inputs.campaign.value,
    search: { population: Number(inputs.population.value), generations: Number(inputs.generations.value), seed: Number(inputs.seed.value), objectives },
  };
}

// The same request sent twice, by a second click or after the answer was lost, is one job; a changed one is another.
async function submit(made, wanted, said, hand, sent) {
  const text = JSON.stringify(wanted);
  if (sent.text && sent.text !== text) sent.key = requestName();
  sent.text = text;
  hand.disabled = true;
  said.replaceChildren(note("It is planned…"));
  try {
    const job = await post("/jobs", wanted, { "Idempotency-Key": sent.key });
    location.hash = `#/jobs/${segment(job.id)}`;
  } catch (error) {
    said.replaceChildren(failure(error));
    hand.disabled = false;
  }
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

// One variant: what the gates say of it, its rules, its figures in and out of sample, its trades on the price, its family, its report.

import { file, get, segment } from "../api.js";
import { tree } from "../charts.js";
import { download, empty, facts, failure, h, into, link, note, section, synthetic, table } from "../dom.js";
import { figure, moment, setting, shade, short, shortId, SHOWN, title } from "../format.js";
import { badge } from "../progress.js";
import { card, gates } from "./card.js";
import { price } from "./price.js";

const SCORED = new Set(["ok", "no_trades"]);
const SEGMENTS = [["in_sample", "in sample"], ["out_of_sample", "out of sample"]];
const RECENT = 1000;

export async function show(main, signal, id) {
  document.title = `variant ${shortId(id)} · coinswarm`;
  const place = h("div");
  main.replaceChildren(place);
  let found = null;
  await into(place, "the variant", signal, async () => {
    found = await get(`/evaluations/${segment(id)}`, {}, signal);
    return head(found, await get(`/plays/${segment(found.play)}`, {}, signal));
  });
  if (signal.aborted || !found) return;
  const parts = ["verdict", "rules", "figures", "price", "standing", "cards", "lineage", "parameters"].map(() => h("div"));
  const [verdict, rules, figures, chart, standing, cards, lineage, params] = parts;
  place.append(...parts);
  figures.append(scores(found));
  params.append(section("Parameters", {}, table("Parameters", [{ name: "Parameter", head: true }, { name: "Value" }], Object.entries(found.params).map(([name, value]) => [name, setting(value)]))));
  if (SCORED.has(found.status)) price(chart, found, signal);
  await Promise.all([
    stands(standing, found, signal), family(lineage, found, signal), judged(verdict, cards, found, signal), worded(rules, found, signal)]);
}

function head(found, play) {
  const address = `#/evaluations/${segment(found.id)}`;
  return [
    h("p", { class: "eyebrow" }, `variant ${shortId(found.id)}`), h("h1", null, play.name), found.synthetic ? synthetic() : null,
    h("p", { class: "standing" }, badge(found.status), found.reason ? h("span", null, found.reason) : null,
      SCORED.has(found.status) ? h("a", { class: "button primary", href: `${address}/report` }, "Open the report") : null),
    h("p", { class: "toolbar" }, downloads(found, play)),
    facts([
      ["Job", link(`#/jobs/${segment(found.job)}`, found.job)], ["Campaign", found.campaign], ["Fitness", short(found.fitness)],
      ["Born", `generation ${found.generation}, island ${found.island}`], ["By", found.operator || "chance"], ["Evaluation", h("code", null, found.id)],
      ["Code", h("code", null, found.code_version)],
    ])];
}

// The variant as a play; what it traded on a market is with the price.
function downloads(found, play) {
  const address = `/evaluations/${segment(found.id)}`, name = `${play.name}-${found.id.slice(0, 8)}`;
  return [download("Download the play", `${name}.yml`, () => file(`${address}/play`)), note("One variant of many that were tried: not vetted.")];
}

function scores(found) {
  const markets = [...new Set(found.scores.map(score => score.data_set))];
  if (!markets.length) return section("Figures", {}, empty("This variant has no figures."));
  const of = (market, part) => found.scores.find(score => score.data_set === market && score.segment === part)?.figures ?? {};
  const names = ["total_return", ...Object.keys(found.scores[0].figures).filter(name => name !== "total_return")];
  const rows = (only) => names.filter(only).map(name => [title(name), ...markets.flatMap(market => SEGMENTS.map(([part], at) => {
    const value = of(market, part)[name];
    return [{ class: `${at ? "held" : ""} ${shade(name, value)}` }, figure(name, value)];
  }))]);
  const columns = [{ name: "Figure", head: true }, ...markets.flatMap(market => SEGMENTS.map(([, words]) => ({ name: `${market}, ${words}` })))];
  return section("Figures, in and out of sample", {}, table("Main figures", columns, rows(name => SHOWN.includes(name))),
    note("A dash out of sample: only the winners of a search are scored there."),
    h("details", null, h("summary", null, "All figures"), table("Other figures", columns, rows(name => !SHOWN.includes(name)))));
}

async function family(place, found, signal) {
  await into(place, "the family", signal, async () => {
    const ancestors = await get(`/evaluations/${segment(found.id)}/lineage`, {}, signal);
    const known = new Map(ancestors.map(each => [each.variant, each]));
    const nodes = ancestors.map(each => ({ id: each.variant, row: each.depth, href: `#/evaluations/${segment(each.evaluation)}`, class: each.depth ? "behind" : "front", text: short(each.fitness),
      title: `${shortId(each.evaluation)}: generation ${each.generation}, ${each.operator || "chance"}, fitness ${short(each.fitness)}` }));
    const links = ancestors.flatMap(each => each.parents.filter(parent => known.has(parent)).map(parent => [each.variant, parent]));
    const rows = ancestors.map(each => [link(`#/evaluations/${segment(each.evaluation)}`, shortId(each.evaluation)), String(each.depth), String(each.generation), String(each.island), [{ class: "word" }, each.operator || "chance"], short(each.fitness)]);
    const alone = ancestors.length < 2;
    return section("Lineage", {}, alone ? empty("This variant has no ancestors: it was drawn at random.") : tree(`Ancestors: ${ancestors.length - 1}`, nodes, links),
      alone ? null : note("The variant is at the top with its fitness, its parents below it, and theirs below them."),
      h("details", null, h("summary", null, "The family as a table"), table("The variant and its ancestors, nearest first",
        [{ name: "Variant", head: true }, { name: "Steps back" }, { name: "Generation" }, { name: "Island" }, { name: "Made by", word: true }, { name: "Fitness" }], rows)));
  });
}

// What the variant does, as `coinswarm play check` puts it.
async function worded(place, found, signal) {
  try {
    const { text } = await get(`/evaluations/${segment(found.id)}/rules`, {}, signal);
    if (!signal.aborted) place.replaceChildren(section("Rules", { class: "rules" }, h("pre", { tabindex: 0 }, text)));
  } catch (error) {
    if (!signal.aborted) place.replaceChildren(section("Rules", {}, failure(error)));
  }
}

async function stands(place, found, signal) {
  try {
    const { state, verdicts, steps } = await get(`/evaluations/${segment(found.id)}/standing`, {}, signal);
    if (signal.aborted || (!verdicts.length && !steps.length)) return;
    const rows = [...verdicts.map(each => [moment(each.when), each.passed ? "passed the gates" : "did not pass the gates", each.who, ""]),
      ...steps.map(each => [moment(each.when), `${each.source} → ${each.target}`, each.who, each.why])].sort(([a], [b]) => a.localeCompare(b));
    place.replaceChildren(section("Gates and standing", {}, h("p", null, "Status: ", badge(state)),
      table("What was decided", [{ name: "When (UTC)", head: true }, { name: "What", word: true }, { name: "Who", word: true }, { name: "Why", word: true }], rows)));
  } catch (error) {
    if (!signal.aborted) place.replaceChildren(section("Gates and standing", {}, failure(error)));
  }
}

async function judged(verdict, place, found, signal) {
  try {
    const jobs = (await get("/jobs", { status: "done", campaign: found.campaign, limit: RECENT }, signal)).rows;
    const last = jobs.find(job => job.columns.evaluation === found.id);
    const newest = last && await get(`/jobs/${segment(last.id)}`, {}, signal);
    if (!newest || signal.aborted) return;
    verdict.replaceChildren(...[gates(newest.result.verdict)].filter(Boolean));
    place.replaceChildren(card(newest.result.card, newest.result.verdict));
  } catch (error) {
    if (!signal.aborted) place.replaceChildren(section("Report card", {}, failure(error)));
  }
}

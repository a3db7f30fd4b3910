// What was decided: how campaigns cut their time, who looked into a vault, and which plays passed the gates.

import { get, segment } from "../api.js";
import { empty, h, into, link, note, section, table } from "../dom.js";
import { moment, shortId } from "../format.js";
import { badge } from "../progress.js";

const span = each => `${moment(each.start_ts).slice(0, 10)} to ${moment(each.end_ts).slice(0, 10)}`;

export async function show(main, signal) {
  document.title = "Campaigns · coinswarm";
  const cut = h("div"), plays = h("div");
  main.replaceChildren(section("Campaigns with a vault", {}, cut), section("Plays that passed the gates", {}, plays));
  await Promise.all([
    into(cut, "campaigns", signal, () => campaigns(signal)),
    into(plays, "the library", signal, async () => library(await get("/library", {}, signal))),
  ]);
}

async function campaigns(signal) {
  const found = await get("/campaigns", {}, signal);
  if (!found.length) return empty("No campaign has a vault yet: ", h("code", null, "coinswarm vault declare"), " cuts one, before its first search.");
  const looks = await Promise.all(found.map(each => get(`/campaigns/${segment(each.campaign)}/openings`, {}, signal)));
  const rows = found.map((each, at) => [each.campaign, each.markets.join(", "), span(each.train), span(each.validation), span(each.vault), String(looks[at].length)]);
  const columns = [{ name: "Campaign", head: true }, { name: "Markets", word: true }, { name: "Searched", word: true }, { name: "Validation", word: true }, { name: "Vault", word: true }, { name: "Times opened", title: "How often the vault was opened" }];
  return [table("Campaigns", columns, rows), note("No job of a campaign sees a bar of its vault; every look is counted."), ...looks.flat().length ? [openings(looks.flat())] : []];
}

function openings(found) {
  const rows = found.map(each => [link(`#/evaluations/${segment(each.evaluation)}`, shortId(each.evaluation)), each.campaign, each.who, moment(each.when), [{ class: "word wrap" }, each.why], each.passed === null ? "not known" : each.passed ? "yes" : "no", String(each.seen_by)]);
  const columns = [{ name: "Variant", head: true }, { name: "Campaign", word: true }, { name: "Who", word: true }, { name: "When (UTC)" }, { name: "Why", word: true }, { name: "Passed", title: "Whether its newest card kept the gates then" }, { name: "Seen by", title: "Jobs of other campaigns that had seen its bars before" }];
  return h("details", { open: true }, h("summary", null, "Openings of vaults"), table("Openings of vaults", columns, rows));
}

function library(found) {
  if (!found.length) return empty("No play has passed the gates yet.");
  const rows = found.map(each => [each.name, badge(each.state), link(`#/evaluations/${segment(each.evaluation)}`, shortId(each.evaluation)), each.who, moment(each.when)]);
  return table("Plays that passed the gates", [{ name: "Play", head: true }, { name: "State", word: true }, { name: "Variant", word: true }, { name: "Who", word: true }, { name: "When (UTC)" }], rows);
}

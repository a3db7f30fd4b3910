// What jobs can be run on: the bars and the plays of this server.

import { get } from "../api.js";
import { empty, h, into, section, table } from "../dom.js";
import { count, moment } from "../format.js";

export async function show(main, signal) {
  document.title = "Data · coinswarm";
  const bars = h("div"), plays = h("div");
  main.replaceChildren(section("Bars", {}, bars), section("Plays", {}, plays));
  await Promise.all([
    into(bars, "bars", signal, async () => dataSets(await get("/data-sets", {}, signal))),
    into(plays, "plays", signal, async () => stored((await get("/plays", {}, signal)).rows)),
  ]);
}

function dataSets(found) {
  if (!found.length) return empty("There are no bars yet: ", h("code", null, "coinswarm bars import FILE"), " or ", h("code", null, "coinswarm bars fetch"), ".");
  const rows = found.map(each => [[{}, each.key, each.synthetic ? h("span", { class: "badge made" }, "synthetic") : null], each.timeframe, count(each.n_bars), moment(each.first_ts), moment(each.last_ts), count(each.n_funding), h("code", { title: each.content_hash }, each.content_hash.slice(0, 8))]);
  return table("Bars", [{ name: "Data set", head: true }, { name: "Bar", word: true }, { name: "Bars" }, { name: "From (UTC)" }, { name: "To (UTC)" }, { name: "Funding rates" }, { name: "Hash" }], rows);
}

function stored(found) {
  if (!found.length) return empty("No play has been uploaded or searched yet.");
  const rows = found.map(each => [each.name, count(each.size), moment(each.saved), h("code", { title: each.sha256 }, each.sha256.slice(0, 12))]);
  return table("Plays", [{ name: "Play", head: true }, { name: "Variants" }, { name: "Saved (UTC)" }, { name: "Hash" }], rows);
}

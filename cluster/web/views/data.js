// What jobs can be run on: the bars and the plays of this server.

import { file, get, segment } from "../api.js";
import { download, empty, h, into, section, table } from "../dom.js";
import { count, moment, variants } from "../format.js";

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
  const rows = found.map(each => [[{}, each.key, each.synthetic ? h("span", { class: "badge made" }, "synthetic") : null], each.timeframe, count(each.n_bars), moment(each.first_ts), moment(each.last_ts), count(each.n_funding), h("code", { title: each.content_hash }, each.content_hash.slice(0, 8)), parts(each)]);
  return table("Bars", [{ name: "Data set", head: true }, { name: "Bar", word: true }, { name: "Bars" }, { name: "First bar (UTC)" }, { name: "Last bar (UTC)" }, { name: "Funding rates" }, { name: "Hash" }, { name: "Files", word: true }], rows);
}

// Bars, and funding where there is some, as files that `coinswarm bars import` takes.
function parts(each) {
  const name = part => `${each.exchange}_${each.symbol.split(":")[0].replace("/", "-")}${each.symbol.includes(":") ? "-PERP" : ""}_${part}.parquet`;
  const made = (label, part, ending) => download(label, name(ending), () => file(`/data-sets/${segment(each.key)}/file`, { part }));
  return [{}, made("Bars", "bars", each.timeframe), each.n_funding ? [" ", made("Funding", "funding", "funding")] : null];
}

function stored(found) {
  if (!found.length) return empty("No play has been uploaded or searched yet.");
  const rows = found.map(each => [each.name, each.problem ? [{ title: each.problem }, "–"] : variants(each), moment(each.saved), h("code", { title: each.sha256 }, each.sha256.slice(0, 12)),
    [{}, download("Play", `${each.name}.yml`, async () => new Blob([(await get(`/plays/${each.sha256}`)).text], { type: "application/yaml" }))]]);
  return table("Plays", [{ name: "Play", head: true }, { name: "Variants" }, { name: "Saved (UTC)" }, { name: "Hash" }, { name: "File", word: true }], rows);
}

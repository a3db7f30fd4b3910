// Patterns of the library: conditions that may be believed, those that were refused, and what they were tested with.

import { get, segment } from "../api.js";
import { empty, h, into, link, note, section, table } from "../dom.js";
import { moment, short } from "../format.js";
import { badge } from "../progress.js";

const STATUSES = ["candidate", "confirmed", "rejected", "retired"];
const COLUMNS = [{ name: "Pattern", head: true }, { name: "Status", word: true }, { name: "Source", word: true }, { name: "p on later bars" }, { name: "Job", word: true }, { name: "Found (UTC)" }];

export async function show(main, signal, query) {
  document.title = "Patterns · coinswarm";
  const place = h("div"), chosen = query.get("status") ?? "";
  const filter = h("select", { id: "status", onchange: event => { location.hash = event.target.value ? `#/patterns?status=${event.target.value}` : "#/patterns"; } },
    h("option", { value: "" }, "all"), STATUSES.map(name => h("option", { value: name, selected: name === chosen }, name)));
  main.replaceChildren(section("Patterns", {}, h("p", { class: "toolbar" }, h("label", { for: "status" }, "Status"), filter), place));
  await into(place, "patterns", signal, async () => library(await get("/patterns", { status: chosen }, signal), chosen, signal));
}

function library(found, status, signal) {
  if (!found.rows.length) return status ? empty(`No pattern is ${status}.`) : empty("No pattern has been found yet: ", h("code", null, "coinswarm patterns discover"), ".");
  const more = h("div");
  if (found.next) more.append(h("button", { type: "button", onclick: () => into(more, "more patterns", signal, async () => library(await get("/patterns", { status, cursor: found.next }, signal), status, signal)) }, "Older patterns"));
  return [table("Patterns, newest first", COLUMNS, found.rows.map(row)), note("A confirmed pattern held on bars that were not used to find it; a candidate was never asked."), more];
}

const row = each => [
  [{ class: "wrap" }, each.name, each.synthetic ? h("span", { class: "badge made" }, "synthetic") : null], badge(each.status), each.source, short(each.p_confirm),
  each.job ? link(`#/jobs/${segment(each.job)}`, each.job) : "–", moment(each.discovered_at),
];

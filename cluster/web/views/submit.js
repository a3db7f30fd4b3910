// Submitting a job of any kind: a form of its own where the page has one, else one that is made of the schema of its request.

import { get } from "../api.js";
import { empty, h, into, link, note, section } from "../dom.js";
import { count } from "../format.js";
import { may } from "../session.js";
import { form } from "./form.js";
import { all, special } from "./special.js";

export async function show(main, signal, query) {
  document.title = "New job · coinswarm";
  if (!may("submit")) return main.replaceChildren(section("New job", {}, empty("This token may look and change nothing; one with the role submit may submit jobs.")));
  const place = h("div");
  main.replaceChildren(section("New job", {}, place));
  await into(place, "the kinds of jobs", signal, async () => {
    const [sets, kinds, caller] = await Promise.all([get("/data-sets", {}, signal), all(signal), get("/whoami", {}, signal)]);
    const chosen = kinds.find(each => each.name === query.get("kind")) ?? kinds[0];
    const own = await special(chosen.name, signal);
    return h("div", null, choice(kinds, chosen), note(`${chosen.summary} The same on the command line: `, h("code", null, `${chosen.command} --help`)), quota(caller), (own.form ?? form)(chosen, sets));
  });
}

const WORDS = { trials: "variants", chaos_trades: "chaos trades", generations: "generations", fetched_bars: "fetched bars", stored_bytes: "bytes stored" };

function quota({ quota: limits, used }) {
  const said = Object.entries(WORDS).filter(([name]) => limits[name] !== null).map(([name, words]) => `${count(used[name])} of ${count(limits[name])} ${words}`);
  if (limits.run_s !== null) said.push(`${count(limits.run_s)} seconds a job`);
  return said.length ? note(`This token has a quota: ${said.join(", ")}.`) : null;
}

const choice = (kinds, chosen) => h("nav", { class: "toolbar", "aria-label": "Kinds of jobs" },
  kinds.map(each => h("a", { href: `#/submit?kind=${encodeURIComponent(each.name)}`, class: "button", "aria-current": each === chosen ? "page" : undefined, title: each.summary }, each.name)));

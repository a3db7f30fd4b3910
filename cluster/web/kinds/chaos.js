// Chaos trades on the page: a step tells sums over its trades; a person reads means.

import { empty, h, section, table } from "../dom.js";
import { count, duration, percent } from "../format.js";
import { ENDED } from "../progress.js";

export function live(progress, job) {
  const rows = progress.whole.map(({ generation, seconds, figures }) => [String(generation + 1), duration(seconds), count(figures.trades),
    ...["wins", "gross", "net"].map(name => percent(figures[name] / figures.trades, name !== "wins"))]);
  if (!rows.length) return section("Steps", {}, empty(ENDED.has(job.status) ? "No step was done." : "No step is done yet."));
  const columns = [{ name: "Step", head: true }, { name: "After" }, { name: "Trades" }, { name: "Won" }, { name: "Mean return, gross" }, { name: "Mean return, net" }];
  return section("Steps", {}, h("details", { open: true }, h("summary", null, `${count(rows.length)} done`), table("Steps", columns, rows)));
}

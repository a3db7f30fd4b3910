// All jobs, newest first; those that run tell how far they are.

import { follow, get, segment } from "../api.js";
import { empty, failure, h, into, link, section, table } from "../dom.js";
import { count, duration, moment } from "../format.js";
import { badge, bar, ENDED, Progress } from "../progress.js";
import { may } from "../session.js";

const REFRESH_MS = 4000;
// a browser keeps six connections to a server, and each job that is followed holds one
const FOLLOWED = 3;
const STATUSES = ["queued", "running", "done", "failed", "cancelled"];
const COLUMNS = [{ name: "Job", head: true }, { name: "Status", word: true }, { name: "Progress", word: true }, { name: "Play", word: true }, { name: "Markets", word: true }, { name: "Evaluations" }, { name: "Campaign", word: true }, { name: "Submitted (UTC)" }];

export async function show(main, signal, query) {
  document.title = "Jobs · coinswarm";
  const list = h("div"), more = h("p"), live = new Map();
  const filter = select(query.get("status") ?? "");
  main.replaceChildren(section("Jobs", {}, h("p", { class: "toolbar" }, h("label", { for: "status" }, "Status"), filter), list, more));
  const state = { rows: [], next: null, pages: 1, text: "" };
  const wanted = () => ({ status: filter.value, limit: 50 });
  filter.addEventListener("change", () => { location.hash = filter.value ? `#/jobs?status=${filter.value}` : "#/jobs"; });

  async function load() {
    const rows = [];
    let next = null;
    for (let page = 0; page < state.pages && (page === 0 || next); page++) {
      const found = await get("/jobs", { ...wanted(), cursor: next }, signal);
      rows.push(...found.rows);
      next = found.next;
    }
    Object.assign(state, { rows, next });
  }
  function draw() {
    const text = JSON.stringify([state.rows, state.next]);
    if (text === state.text) return;
    state.text = text;
    const focused = document.activeElement?.getAttribute("href");
    list.replaceChildren(state.rows.length ? table("Jobs, newest first", COLUMNS, state.rows.map(job => row(job, live, signal)), { class: "scroll jobs" }) : nothing(filter.value));
    more.replaceChildren(...(state.next ? [h("button", { type: "button", onclick: async () => { state.pages++; await load(); draw(); } }, "Older jobs")] : []));
    if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  }
  await into(list, "jobs", signal, async () => { await load(); return []; });
  if (signal.aborted || list.querySelector(".failure")) return;
  draw();
  refreshing(signal, async () => { await load(); if (!signal.aborted) draw(); }, list);
}

function refreshing(signal, load, list) {
  const timer = setInterval(async () => {
    if (document.hidden) return;
    try {
      await load();
      list.parentElement?.querySelector(".failure")?.remove();
    } catch (error) {
      if (signal.aborted) return;
      list.parentElement?.querySelector(".failure")?.remove();
      list.before(failure(error));
    }
  }, REFRESH_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

function select(chosen) {
  return h("select", { id: "status" }, h("option", { value: "" }, "all"), STATUSES.map(name => h("option", { value: name, selected: name === chosen }, name)));
}

function nothing(status) {
  if (status) return empty(`No job is ${status}.`);
  return empty("No jobs yet. ", may("submit") ? link("#/submit", "Submit one") : "Submit one", " here, or with ", h("code", null, "coinswarm submit PLAY.yml"), ".");
}

function row(job, live, signal) {
  // each play is searched with a population of its own; a search may end before its last generation
  const most = job.population && job.generations ? job.population * job.generations * job.plays.length : null;
  const total = job.evaluations ?? most;
  return [
    link(`#/jobs/${segment(job.id)}`, job.id), badge(job.status), progress(job, live, signal),
    [{ class: "clip" }, job.plays.join(", "), job.synthetic ? h("span", { class: "badge made" }, "synthetic") : null],
    [{ class: "word", title: job.markets.join(", ") }, symbols(job.markets)],
    `${job.evaluations === null && most !== null ? "≤ " : ""}${count(total)}`, job.campaign, moment(job.created),
  ];
}

// `binance:BTC/USDT:5m` is BTC/USDT here; the whole name is the title.
function symbols(markets) {
  const [first] = markets.map(key => key.split(":")[1] ?? key);
  return markets.length > 1 ? `${first} + ${markets.length - 1}` : first ?? "–";
}

function progress(job, live, signal) {
  if (job.status !== "running") {
    if (job.status === "failed") return [{ class: "clip", title: job.error }, job.error.split("\n")[0]];
    return job.status === "done" ? `took ${duration((new Date(job.finished) - new Date(job.started ?? job.created)) / 1000)}` : bar(new Progress(job)).element;
  }
  const known = live.get(job.id);
  if (known) {
    known.progress.job = job;
    known.meter.update();
    return known.meter.element;
  }
  const made = new Progress(job), meter = bar(made);
  if ([...live.values()].filter(each => !ENDED.has(each.progress.job.status)).length < FOLLOWED) {
    live.set(job.id, { progress: made, meter });
    follow(job.id, signal, (name, data) => {
      if (name === "commit") made.add(data.generations);
      if (name === "job") made.job = data;
      meter.update();
    }).catch(() => live.delete(job.id));
  }
  return meter.element;
}

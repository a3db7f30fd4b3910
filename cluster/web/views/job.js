// One job: how far it is, how its fitness grew, and what it found.

import { follow, get, post, segment } from "../api.js";
import { empty, facts, failure, h, into, note, say, section, synthetic, table } from "../dom.js";
import { count, duration, figure, moment, title } from "../format.js";
import { badge, bar, ENDED, Progress } from "../progress.js";
import { may } from "../session.js";
import { card, gates } from "./card.js";
import { special } from "./special.js";

const DRAWN_MS = 1000;
// the leaderboard and the maps are asked of the server, which has a search to run
const ASKED_MS = 5000;

export async function show(main, signal, id) {
  document.title = `${id} · coinswarm`;
  const place = h("div");
  main.replaceChildren(place);
  let job;
  await into(place, "the job", signal, async () => { job = await get(`/jobs/${segment(id)}`, {}, signal); return []; });
  if (signal.aborted || !job) return;
  const view = new View(place, signal, job, await special(job.kind, signal));
  view.start();
  await view.following();
}

class View {
  constructor(place, signal, job, own) {
    Object.assign(this, { place, signal, job, own, progress: new Progress(job), timer: null, asked: -Infinity });
    this.parts = Object.fromEntries(["head", "lost", "card", "fitness", "leaders", "pareto", "archive", "config"].map(name => [name, h("div")]));
    this.meter = bar(this.progress);
    place.replaceChildren(...Object.values(this.parts));
    signal.addEventListener("abort", () => clearTimeout(this.timer));
  }

  start() {
    this.head();
    this.fitness();
    this.parts.config.replaceChildren(configuration(this.job));
    if (this.own.begun) this.parts.leaders.replaceChildren(this.own.begun());
    if (ENDED.has(this.job.status)) this.found();
  }

  following() {
    return follow(this.job.id, this.signal, (name, data) => this.heard(name, data), error => this.lost(error));
  }

  heard(name, data) {
    if (this.signal.aborted) return;
    if (name === "commit") {
      this.progress.add(data.generations);
      this.soon();
    } else if (name === "job") {
      if (data.status !== this.job.status) say(`job is ${data.status}`);
      Object.assign(this.job, data);
      this.head();
    } else if (name === "end") {
      this.ended(data);
    }
    this.meter.update();
  }

  async ended(data) {
    Object.assign(this.job, { status: data.status, error: data.error, result_hash: data.result_hash });
    say(`job is ${data.status}`);
    try {
      this.job = Object.assign(this.job, await get(`/jobs/${segment(this.job.id)}`, {}, this.signal));
    } catch (error) {
      if (this.signal.aborted) return;
      this.parts.lost.replaceChildren(failure(error));
    }
    clearTimeout(this.timer);
    this.head();
    this.fitness();
    this.found();
  }

  // Commits come in bursts: everything is drawn at most every so often.
  soon() {
    if (this.timer !== null) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.fitness();
      if (performance.now() - this.asked < ASKED_MS) return;
      this.asked = performance.now();
      this.found();
    }, DRAWN_MS);
  }

  lost(error) {
    this.parts.lost.replaceChildren(...(error ? [h("p", { class: "warning", role: "status" }, "The connection was lost; it is tried again, and goes on where it ended.")] : []));
  }

  head() {
    const { job } = this;
    this.parts.head.replaceChildren(
      h("p", { class: "eyebrow" }, `${job.kind} job`), h("h1", null, job.plays.join(", ") || job.kind), job.synthetic ? synthetic() : "",
      h("p", { class: "standing" }, badge(job.status), this.meter.element, ...this.report(), ...this.actions()),
      job.error ? h("div", { class: "failure" }, h("strong", null, "The job failed"), h("pre", null, job.error)) : "",
      facts([
        ["Job", h("code", null, job.id)], ["Campaign", job.campaign], ["Markets", job.markets.join(", ") || "–"],
        ...Object.entries(job.columns).map(([name, value]) => [title(name), typeof value === "number" ? count(value) : String(value ?? "–")]),
        ["Submitted", `${moment(job.created)} UTC`], job.started && ["Started", `${moment(job.started)} UTC`],
        job.finished && ["Took", duration((new Date(job.finished) - new Date(job.started ?? job.created)) / 1000)],
        job.result?.distinct && ["Different variants tried", count(job.result.distinct)], job.evaluations !== null && ["Evaluations", count(job.evaluations)], ["Seed", String(job.seed)],
        job.result_hash && ["Result", h("code", { title: job.result_hash }, job.result_hash.slice(0, 12))],
      ]));
  }

  actions() {
    if (!may("submit")) return [];
    const act = (verb, text) => h("button", { type: "button", onclick: event => this.act(event.target, verb) }, text);
    const { status, cancel_requested: asked } = this.job;
    if (status === "queued" || status === "running" || status === "lost") return asked ? [note("It was asked to stop.")] : [act("cancel", "Cancel")];
    return status === "done" ? [] : [act("resume", "Resume")];
  }

  report() {
    const { job } = this;
    return job.status === "done" ? [h("a", { class: "button primary", href: `#/jobs/${segment(job.id)}/report` }, "Open the report")] : [];
  }

  async act(button, verb) {
    button.disabled = true;
    try {
      await post(`/jobs/${segment(this.job.id)}/${verb}`);
      say(verb === "cancel" ? "the job is cancelled" : "the job is queued again");
      dispatchEvent(new HashChangeEvent("hashchange"));
    } catch (error) {
      button.disabled = false;
      this.parts.lost.replaceChildren(failure(error));
    }
  }

  fitness() {
    this.parts.fitness.replaceChildren((this.own.live ?? steps)(this.progress, this.job));
    this.meter.update();
  }

  found() {
    const { job, signal, parts, progress } = this;
    this.own.found?.(parts, job, progress, signal);
    if (job.result?.card) parts.card.replaceChildren(...[gates(job.result.verdict), card(job.result.card, job.result.verdict)].filter(Boolean));
  }
}

// A step tells figures, and some tell what they are of; what a card is made of stands in the card.
function steps(progress, job) {
  const { whole } = progress;
  const names = [...new Set(whole.flatMap(({ figures }) => Object.keys(figures).filter(name => typeof figures[name] === "number")))].slice(0, 8);
  const named = whole.some(({ figures }) => called(figures));
  const rows = whole.map(({ generation, seconds, figures }) => [String(generation + 1), ...named ? [called(figures)] : [], duration(seconds),
    ...names.map(name => (Number.isInteger(figures[name]) ? count(figures[name]) : figure(name, figures[name])))]);
  const columns = [{ name: "Step", head: true }, ...named ? [{ name: "What", word: true }] : [], { name: "After" }, ...names.map(name => ({ name: title(name) }))];
  if (!rows.length) return section("Steps", {}, empty(ENDED.has(job.status) ? "No step was done." : "No step is done yet."));
  return section("Steps", {}, h("details", { open: !job.result?.card }, h("summary", null, `${count(rows.length)} done`), table("Steps", columns, rows)));
}

const called = figures => [figures.title, figures.name, figures.cell, figures.rule].find(text => typeof text === "string") ?? "";

function configuration(job) {
  return h("section", { "aria-label": "Configuration" }, h("details", null, h("summary", null, "Configuration"), h("pre", { tabindex: 0 }, JSON.stringify(job.config, null, 2))));
}

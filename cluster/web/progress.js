// How far a job is, from what its driver stored: records of generations, an island each, and of the job as a whole (island −1).

import { h } from "./dom.js";
import { count, duration } from "./format.js";

const WHOLE = -1;
export const STATUS_WORDS = { queued: "queued", running: "running", lost: "lost its driver", done: "done", failed: "failed", cancelled: "cancelled" };
export const ENDED = new Set(["done", "failed", "cancelled"]);

export class Progress {
  constructor(job) {
    this.job = job;
    this.records = new Map();
  }

  add(records) {
    for (const record of records) this.records.set(`${record.island}/${record.generation}`, record);
  }

  get islands() {
    return [...this.records.values()].filter(record => record.island !== WHOLE);
  }

  get whole() {
    return [...this.records.values()].filter(record => record.island === WHOLE);
  }

  get evaluations() {
    return this.islands.reduce((sum, record) => sum + record.evaluations, 0);
  }

  get failures() {
    return this.islands.reduce((sum, record) => sum + record.failures, 0);
  }

  get seconds() {
    return Math.max(0, ...this.whole.map(record => record.seconds ?? 0));
  }

  // Share of the work, or null where the number of steps is not known beforehand.
  get share() {
    if (this.job.status === "done") return 1;
    if (!this.job.generations) return null;
    const reached = new Map();
    for (const record of this.islands) reached.set(record.island, Math.max(reached.get(record.island) ?? 0, record.generation + 1));
    const told = [...reached.values()].reduce((sum, generations) => sum + generations, 0);
    return Math.min(1, told / (this.job.generations * Math.max(1, reached.size)));
  }

  text() {
    const steps = this.whole.length, share = this.share;
    if (!steps) return this.job.status === "queued" ? "waiting for a driver" : this.job.status === "running" ? "preparing" : "";
    const parts = [this.evaluations ? `${count(this.evaluations)} evaluations` : `${count(steps)} ${steps === 1 ? "step" : "steps"}`];
    if (share !== null) parts.unshift(`${Math.floor(share * 100)} %`);
    const rest = share ? this.seconds * (1 - share) / share : null;
    if (this.job.status === "running" && rest !== null && share < 1) parts.push(`about ${duration(rest)} left`);
    return parts.join(" · ");
  }
}

// A progress element with its words; `update` shows what became of it.
export function bar(progress) {
  const meter = h("progress", { max: 1, "aria-label": "How far the job is" }), words = h("span", { class: "small" });
  const update = () => {
    const share = progress.share;
    if (share === null || (share === 0 && progress.job.status === "running")) meter.removeAttribute("value");
    else meter.value = share;
    meter.hidden = ENDED.has(progress.job.status) && progress.job.status !== "done";
    words.textContent = progress.text();
  };
  update();
  return { element: h("span", { class: "progress" }, meter, words), update };
}

export const badge = status => h("span", { class: `badge ${status}` }, STATUS_WORDS[status] ?? status);

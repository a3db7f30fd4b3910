// The shell: who asks, which view an address means, and what stands around it.

import { get, server } from "./api.js";
import { failure, h, say } from "./dom.js";
import * as session from "./session.js";
import * as campaigns from "./views/campaigns.js";
import * as data from "./views/data.js";
import * as evaluation from "./views/evaluation.js";
import * as job from "./views/job.js";
import * as jobs from "./views/jobs.js";
import * as patterns from "./views/patterns.js";
import * as report from "./views/report.js";
import * as submit from "./views/submit.js";

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
// address → view; what is in brackets is handed to it
const ROUTES = [
  [/^\/jobs$/, jobs.show], [/^\/jobs\/([^/]+)$/, job.show], [/^\/evaluations\/([^/]+)$/, evaluation.show],
  [/^\/jobs\/([^/]+)\/report$/, report.ofJob], [/^\/evaluations\/([^/]+)\/report$/, report.ofEvaluation],
  [/^\/patterns$/, patterns.show], [/^\/campaigns$/, campaigns.show],
  [/^\/data$/, data.show], [/^\/submit$/, submit.show],
];
const main = document.getElementById("main");
let current = new AbortController();
let dashboard = null;

async function route() {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const [path, query] = (location.hash.replace(/^#/, "") || "/jobs").split("?");
  const found = ROUTES.map(([pattern, show]) => [pattern.exec(path), show]).find(([match]) => match);
  try {
    if (!session.secret()) return prompt();
    if (session.caller() === null) await greet(signal);
    if (signal.aborted) return;
    frame(path);
    cluster(path, signal);
    if (!found) return main.replaceChildren(failure({ problem: { rule: "there is no such page", hint: "begin at the list of jobs" } }));
    await found[1](main, signal, ...found[0].slice(1).map(decodeURIComponent), new URLSearchParams(query));
  } catch (error) {
    if (!signal.aborted) failed(error);
  }
}

function failed(error) {
  if (error?.problem?.status === 401) {
    session.forget();
    prompt(error);
  } else {
    main.replaceChildren(failure(error));
  }
}

async function greet(signal) {
  session.remember(await get("/whoami", {}, signal));
  const known = await server("/version", signal);
  document.getElementById("version").textContent = `coinswarm ${known.version}, code ${known.code}`;
}

function frame(path) {
  const item = (address, text) => h("a", { href: `#${address}`, "aria-current": path.startsWith(address) ? "page" : undefined }, text);
  document.getElementById("nav").replaceChildren(...[
    item("/jobs", "Jobs"), session.may("submit") ? item("/submit", "New job") : null,
    item("/patterns", "Patterns"), item("/campaigns", "Campaigns"), item("/data", "Data"),
    dashboard ? h("a", { href: dashboard, target: "_blank", rel: "noreferrer noopener", title: "Ray's own page, while its cluster runs; it asks for the token of the cluster, not for yours" }, "Ray dashboard ↗") : null,
  ].filter(Boolean));
  const caller = session.caller();
  document.getElementById("who").replaceChildren(...[
    h("span", { class: "role", title: caller.role === "read" ? "Read only: this token may look and change nothing. One with the role submit may submit jobs" : `This token may ${caller.role}` }, h("span", { class: "wide" }, `${caller.name} · `), caller.role === "read" ? "read only" : caller.role),
    session.stays() ? null : h("button", { type: "button", title: "Other tabs of this browser do not ask for a token any more", onclick: () => { session.stay(); frame(path); } }, "Remember on this computer"),
    h("button", { type: "button", onclick: () => { session.forget(); route(); } }, "Sign out"),
  ].filter(Boolean));
}

// A cluster starts with the first job that needs one. What is on the server's loopback is reached by the name that the server is reached by.
async function cluster(path, signal) {
  const told = (await get("/cluster", {}, signal).catch(() => null))?.dashboard;
  const place = told && URL.canParse(told) ? new URL(told) : null;
  if (place && LOOPBACK.includes(place.hostname)) place.hostname = location.hostname;
  const found = place && ["http:", "https:"].includes(place.protocol) ? place.href : null;
  if (signal.aborted || found === dashboard) return;
  dashboard = found;
  frame(path);
}

function prompt(error) {
  current.abort();
  document.title = "coinswarm";
  document.getElementById("nav").replaceChildren();
  document.getElementById("who").replaceChildren();
  const field = h("input", { id: "token", name: "token", type: "password", required: true, autocomplete: "off", spellcheck: "false", "aria-describedby": "token-help" });
  const stays = h("input", { id: "stays", type: "checkbox" });
  const enter = event => {
    event.preventDefault();
    if (!field.value.trim()) return;
    session.enter(field.value, stays.checked);
    route();
  };
  main.replaceChildren(h("section", { class: "prompt", "aria-label": "Token" },
    h("h1", null, "Sign in"),
    error ? failure(error) : null,
    h("form", { onsubmit: enter }, h("label", { for: "token" }, "Token"), field, h("label", { class: "check" }, stays, " Remember on this computer"), h("button", { type: "submit", class: "primary" }, "Sign in")),
    h("p", { id: "token-help", class: "note" }, "The token is kept in this tab until you close it, or in this browser until you sign out, and sent to this server only. ",
      "A token with the role ", h("code", null, "read"), " may look; with ", h("code", null, "submit"), " it may submit, cancel and resume jobs. ",
      "Make one with ", h("code", null, "coinswarm token create NAME --role read"), ", or open the address that ", h("code", null, "coinswarm serve"), " printed.")));
  field.focus();
}

addEventListener("hashchange", () => {
  session.takeFromAddress();
  route();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});
// what a view started and nobody waits for may find the token revoked
addEventListener("unhandledrejection", event => {
  if (event.reason?.name === "AbortError") event.preventDefault();
  else if (event.reason?.problem) { event.preventDefault(); failed(event.reason); }
});
document.querySelector(".skip").addEventListener("click", event => { event.preventDefault(); main.focus(); });
document.querySelector(".brand").addEventListener("click", () => say(""));
session.takeFromAddress();
route();

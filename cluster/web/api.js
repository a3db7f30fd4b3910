// Talking to the server: JSON with the token in a header, problem documents as errors, and events that go on where they were cut off.

import { secret } from "./session.js";

const API = "/api/v1";
const FIRST_PAUSE_MS = 1000, LONGEST_PAUSE_MS = 15000;

export class Failed extends Error {
  constructor(problem) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }
}

async function problemOf(response) {
  const text = await response.text();
  try {
    return { status: response.status, ...JSON.parse(text) };
  } catch {
    return { status: response.status, title: response.statusText || "the server answered with an error", detail: text.slice(0, 300) };
  }
}

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (secret()) headers.Authorization = `Bearer ${secret()}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers, credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failed({ title: "the server does not answer", detail: "The server does not answer.", rule: "the server does not answer", hint: "is `coinswarm serve` running?" });
  }
  if (!response.ok) throw new Failed(await problemOf(response));
  return response;
}

function address(path, query) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

export const segment = encodeURIComponent;
export const get = async (path, query, signal) => (await ask(API + address(path, query), { signal })).json();
export const server = async (path, signal) => (await ask(path, { signal })).json();
export const file = async (path, query, signal) => (await ask(API + address(path, query), { signal })).blob();
export const text = async (path, signal) => (await ask(API + path, { signal })).text();

export async function post(path, body, headers) {
  const options = { method: "POST", headers: { ...headers } };
  if (body !== undefined) Object.assign(options, { body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...headers } });
  return (await ask(API + path, options)).json();
}

// A name for a request that may be sent twice; `randomUUID` exists on secure origins only.
export function requestName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, "0")).join("");
}

const wait = (ms, signal) => new Promise(done => {
  const timer = setTimeout(done, ms);
  signal.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
});

// Follows a job until it ends: calls `heard(name, data)` for each event and `lost(error or null)` when the connection goes and comes.
export async function follow(job, signal, heard, lost = () => {}) {
  const place = { last: null };
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      const headers = { Accept: "text/event-stream", ...(place.last === null ? {} : { "Last-Event-ID": place.last }) };
      const response = await ask(`${API}/jobs/${segment(job)}/events`, { headers, signal });
      lost(null);
      pause = FIRST_PAUSE_MS;
      if (await readEvents(response, place, heard)) return;
    } catch (error) {
      if (signal.aborted) return;
      if ([401, 403, 404].includes(error.problem?.status)) throw error;
      lost(error);
    }
    await wait(pause, signal);
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }
}

// True once the job has ended; false when the stream was cut before.
async function readEvents(response, place, heard) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return false;
    rest += value;
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = parsed(block);
      if (event.id !== undefined) place.last = event.id;
      if (event.data !== "") heard(event.name, JSON.parse(event.data));
      if (event.name === "end") {
        reader.cancel();
        return true;
      }
    }
  }
}

function parsed(block) {
  const event = { id: undefined, name: "message", data: "" };
  for (const line of block.split("\n")) {
    const [, field, value] = /^([a-z]*): ?(.*)$/s.exec(line) ?? [];
    if (field === "id") event.id = value;
    else if (field === "event") event.name = value;
    else if (field === "data") event.data += event.data ? `\n${value}` : value;
  }
  return event;
}

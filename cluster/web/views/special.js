// What the page has for one kind of job only: a module of `kinds/`, where the server says that there is one.

import { get } from "../api.js";

let kinds = null;

export async function all(signal) {
  kinds ??= await get("/kinds", {}, signal);
  return kinds;
}

// `form(kind, sets)`, `begun()`, `live(progress, job)`, `found(parts, job, progress, signal)`: each where the kind has it.
export async function special(name, signal) {
  const kind = (await all(signal)).find(each => each.name === name);
  return kind?.script ? import(`../kinds/${kind.name}.js`) : {};
}

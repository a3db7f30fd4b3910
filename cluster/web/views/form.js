// A form that is made of the JSON Schema of a request: what is left as it is, is left out, and the server's defaults hold.

import { post, requestName, segment } from "../api.js";
import { empty, failure, h, note } from "../dom.js";
import { count, title } from "../format.js";

const OF_MARKETS = new Set(["markets", "also", "like"]);
const plainType = { integer: "number", number: "number", string: "text" };

export function form(kind, sets) {
  const fields = inputs(kind.request, kind.request, kind.defaults, [], sets);
  const said = h("div", { "aria-live": "polite" }), button = h("button", { type: "submit", class: "primary" }, "Submit");
  const made = h("form", null, fields.map(each => each.element), said, h("p", { class: "toolbar" }, button));
  return sending(made, () => filled(kind, fields), said, button);
}

// The same request sent twice, by a second click or after the answer was lost, is one job; a changed one is another.
export function sending(made, request, said, button) {
  const sent = { key: requestName(), text: "" };
  made.addEventListener("submit", async event => {
    event.preventDefault();
    const wanted = request(), text = JSON.stringify(wanted);
    if (sent.text && sent.text !== text) sent.key = requestName();
    sent.text = text;
    button.disabled = true;
    said.replaceChildren(note("It is planned…"));
    try {
      const job = await post("/jobs", wanted, { "Idempotency-Key": sent.key });
      location.hash = `#/jobs/${segment(job.id)}`;
    } catch (error) {
      said.replaceChildren(failure(error));
      button.disabled = false;
    }
  });
  return made;
}

// A field: where its value goes, its element, and `read()`, which is undefined where nothing was said.
function inputs(schema, root, defaults, path, sets) {
  const needed = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).filter(([name]) => path.length || name !== "kind").flatMap(([name, given]) => {
    const own = resolved(given, root), here = [...path, name], usual = defaults?.[name];
    if (own.type === "object" && own.properties) return [group(here, own, inputs(own, root, usual, here, sets))];
    const made = input(here, own, usual, needed.has(name), sets);
    return made ? [made] : [];
  });
}

function group(path, own, fields) {
  const element = h("details", null, h("summary", null, title(path.at(-1))), own.description ? note(own.description.split("\n")[0]) : null, fields.map(each => each.element));
  return { path, element, fields };
}

function input(path, own, usual, needed, sets) {
  const id = `field-${path.join("-")}`, name = path.at(-1);
  if (name === "plays") return labelled(path, own, h("textarea", { id, rows: 14, spellcheck: "false", required: needed }), element => (element.value.trim() ? [{ text: element.value }] : undefined), "a play in YAML");
  if (own.type === "array" && OF_MARKETS.has(name)) return markets(path, own, sets);
  if (own.type === "array" && ["string", "number", "integer"].includes(own.items?.type)) return list(path, own, id, needed);
  if (own.enum) return labelled(path, own, h("select", { id }, own.enum.map(each => h("option", { value: each, selected: each === usual }, each))), element => changed(element.value, usual));
  if (own.type === "boolean") return labelled(path, own, h("input", { id, type: "checkbox", checked: usual === true }), element => changed(element.checked, usual ?? false));
  if (!plainType[own.type]) return null;
  const attributes = { id, type: plainType[own.type], required: needed, value: usual ?? undefined, min: own.minimum, max: own.maximum, minlength: own.minLength, maxlength: own.maxLength, step: own.type === "integer" ? 1 : "any" };
  return labelled(path, own, h("input", attributes), element => (element.value === "" ? undefined : changed(own.type === "string" ? element.value : Number(element.value), usual)));
}

const changed = (value, usual) => (value === usual ? undefined : value);

function labelled(path, own, element, read, help) {
  const text = own.description ?? help;
  return { path, read: () => read(element), element: h("div", { class: "field" }, h("label", { for: element.id }, title(path.at(-1))), element, text ? note(text) : null) };
}

function list(path, own, id, needed) {
  const number = own.items.type !== "string";
  const read = element => { const parts = element.value.split(",").map(part => part.trim()).filter(Boolean); return parts.length ? parts.map(part => (number ? Number(part) : part)) : undefined; };
  return labelled(path, { ...own, description: `${own.description ? `${own.description}; ` : ""}several with commas` }, h("input", { id, required: needed }), read);
}

function markets(path, own, sets) {
  const boxes = sets.map((set, at) => h("label", { for: `field-${path.join("-")}-${at}` }, h("input", { id: `field-${path.join("-")}-${at}`, type: "checkbox", value: set.key }), " ", `${set.key} (${count(set.n_bars)} bars${set.synthetic ? ", synthetic" : ""})`));
  const element = h("fieldset", null, h("legend", null, title(path.at(-1))), own.description ? note(own.description) : null, boxes.length ? boxes : empty("There are no bars on this server yet."));
  return { path, element, read: () => { const chosen = [...element.querySelectorAll("input:checked")].map(box => box.value); return chosen.length ? chosen : undefined; } };
}

// The schema behind references, and the one that is no null.
function resolved(given, root) {
  if (given.$ref) return { ...root.$defs[given.$ref.split("/").at(-1)], ...given, $ref: undefined };
  const real = (given.anyOf ?? []).filter(each => each.type !== "null");
  if (real.length) return { ...resolved(real[0], root), ...given, anyOf: undefined };
  if (given.allOf?.length === 1) return { ...resolved(given.allOf[0], root), ...given, allOf: undefined };
  return given;
}

function filled(kind, fields) {
  const wanted = { kind: kind.name };
  const fill = each => {
    if (each.fields) return each.fields.forEach(fill);
    const value = each.read();
    if (value === undefined) return;
    const inner = each.path.slice(0, -1).reduce((place, name) => (place[name] ??= {}), wanted);
    inner[each.path.at(-1)] = value;
  };
  fields.forEach(fill);
  return wanted;
}

// Building the page: elements from values. Text is only ever text: nothing here, or anywhere else, parses HTML.

const SVG = "http://www.w3.org/2000/svg";

// Characters that hide text or turn its direction, as in coinswarm/printable.py.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;
const shown = text => text.replace(HIDDEN, found => "\t\r\n".includes(found) ? found : "\ufffd");

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : shown(String(value)));
  }
  const given = children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false);
  element.append(...given.map(child => child instanceof Node ? child : shown(String(child))));
  return element;
}

export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

export function link(address, ...children) {
  return h("a", { href: address }, ...children);
}

export function section(title, attributes, ...children) {
  return h("section", { "aria-label": title, ...attributes }, h("h2", null, title), ...children);
}

// columns: [{ name, word: left aligned, head: names its row, title }]; a cell is a node, a text, or [attributes, ...children].
export function table(caption, columns, rows, attributes) {
  const cell = (value, column) => {
    const [own, ...children] = Array.isArray(value) ? value : [{}, value ?? "–"];
    const kind = [column.word || column.head ? "word" : "", own.class ?? ""].join(" ").trim();
    return h(column.head ? "th" : "td", { ...own, scope: column.head ? "row" : undefined, class: kind || undefined }, ...children);
  };
  const heading = column => h("th", { scope: "col", class: column.word || column.head ? "word" : undefined, title: column.title }, column.name);
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption, ...attributes },
    h("table", null,
      h("caption", { class: "hidden" }, caption),
      h("thead", null, h("tr", null, columns.map(heading))),
      h("tbody", null, rows.map(row => h("tr", null, row.map((value, at) => cell(value, columns[at])))))));
}

export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(pair => pair).map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value ?? "–"))));
}

export const note = (...children) => h("p", { class: "note" }, ...children);
export const empty = (...children) => h("p", { class: "empty" }, ...children);
export const loading = what => h("p", { class: "loading", role: "status" }, `Loading ${what}…`);

export function synthetic() {
  return h("p", { class: "synthetic" }, h("strong", null, "SYNTHETIC"), " Some of these bars were made, not traded. Nothing here says anything about a market.");
}

// What a problem document (RFC 9457) says, for a person.
export function failure(error) {
  const found = error?.problem ?? {};
  return h("div", { class: "failure", role: "alert" },
    h("strong", null, found.rule || found.title || "something went wrong"),
    found.found ? h("p", null, "Found: ", h("code", null, found.found)) : null,
    found.rule ? null : h("p", null, found.detail || String(error?.message ?? error)),
    found.hint ? h("p", null, "Hint: ", found.hint) : null,
    found.problems?.length ? h("ul", null, found.problems.map(mistake => h("li", null,
      h("code", null, mistake.where), mistake.line ? ` (line ${mistake.line})` : "", ": ", mistake.rule,
      mistake.found ? `, found ${mistake.found}` : "", mistake.suggestions?.length ? `. Did you mean ${mistake.suggestions.join(", ")}?` : ""))) : null,
    found.status ? h("p", { class: "small" }, `HTTP ${found.status}`, found.type && found.type !== "about:blank" ? ` · ${found.type}` : "") : null);
}

// Puts what a promise gives into a place, with something to read while it is on its way and when it does not come.
export async function into(place, what, signal, promise) {
  place.replaceChildren(loading(what));
  place.setAttribute("aria-busy", "true");
  try {
    const content = await promise();
    if (!signal.aborted) place.replaceChildren(...[content].flat().filter(Boolean));
  } catch (error) {
    if (signal.aborted) return;
    if (error?.problem?.status === 401) throw error;
    place.replaceChildren(failure(error));
  } finally {
    place.removeAttribute("aria-busy");
  }
}

// A file that the server makes is asked for with the token, which a plain link would not send.
export function download(label, name, fetched) {
  const said = h("span", { role: "status" });
  const ask = async event => {
    const button = event.target;
    button.disabled = true;
    said.replaceChildren();
    try {
      save(await fetched(), name);
    } catch (error) {
      said.replaceChildren(failure(error));
    } finally {
      button.disabled = false;
    }
  };
  return h("span", null, h("button", { type: "button", onclick: ask }, label), said);
}

export function save(content, name) {
  const address = URL.createObjectURL(content);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

export function say(text) {
  document.getElementById("said").textContent = text;
}

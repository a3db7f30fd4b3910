// Reports: pages of their own, of a variant or of what a job found.

import { segment, text } from "../api.js";
import { h, into, link, save } from "../dom.js";
import { shortId } from "../format.js";

export const ofEvaluation = (main, signal, id) => report(main, signal, id, `report of ${shortId(id)}`, `/evaluations/${segment(id)}`, "the variant");
export const ofJob = (main, signal, id) => report(main, signal, id, `report of ${id}`, `/jobs/${segment(id)}`, "the job");

async function report(main, signal, id, title, address, of) {
  document.title = `${title} · coinswarm`;
  const place = h("div", { class: "whole" });
  main.replaceChildren(h("p", null, link(`#${address}`, `← ${of}`)), place);
  await into(place, "the report; it is made anew", signal, async () => framed(await text(`${address}/report`, signal), id, signal));
}

// The report runs in a frame whose origin can reach nothing: neither the token nor the server.
function framed(html, id, signal) {
  const frame = h("iframe", { src: "/assets/frame.html", sandbox: "allow-scripts allow-downloads", title: `Report of ${id}` });
  addEventListener("message", event => {
    if (event.source !== frame.contentWindow) return;
    if (event.data?.ready === true) frame.contentWindow.postMessage(html, "*");
    if (Number.isFinite(event.data?.height)) frame.style.height = `${Math.ceil(event.data.height)}px`;
  }, { signal });
  const button = h("button", { type: "button", onclick: () => save(new Blob([html], { type: "text/html" }), `${id}.html`) }, "Save as a file");
  return [h("p", { class: "toolbar" }, button), frame];
}

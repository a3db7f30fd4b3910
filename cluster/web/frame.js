// The inside of the frame that shows a report: it writes the page it is handed, once, and tells how tall that became.
"use strict";
addEventListener("message", event => {
  if (event.source !== parent || typeof event.data !== "string") return;
  document.open();
  document.write(event.data);
  document.close();
  const tell = () => parent.postMessage({ height: document.documentElement.getBoundingClientRect().height }, "*");
  addEventListener("load", tell);
  addEventListener("resize", tell);
  new ResizeObserver(tell).observe(document.documentElement);
  tell();
}, { once: true });
parent.postMessage({ ready: true }, "*");

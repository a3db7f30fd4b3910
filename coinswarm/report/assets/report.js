// What a report does: its markets as tabs, their timelines (timeline.js is embedded before this), and the trades that are shown on them.

const unpack = (text, Kind) => {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Kind(bytes.buffer);
};
const floats = text => unpack(text, Float32Array);
const times = text => unpack(text, Float64Array);

function read(block) {
  const data = { ...block };
  for (const name of ["open", "high", "low", "close", "equity", "hold", "drawdown"]) data[name] = floats(block[name]);
  data.time = times(block.time);
  const trades = { ...block.trades };
  for (const name of ["entry_price", "exit_price", "pnl", "return", "bars_held", "side", "reason"]) trades[name] = floats(block.trades[name]);
  trades.entry = times(block.trades.entry);
  trades.exit = times(block.trades.exit);
  data.trades = trades;
  return data;
}

function choose(tabs, index) {
  tabs.forEach((tab, i) => {
    tab.setAttribute("aria-selected", String(i === index)); tab.tabIndex = i === index ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = i !== index;
  });
}

const tabs = [...document.querySelectorAll("[role=tab]")];
tabs.forEach((tab, i) => {
  tab.addEventListener("click", () => choose(tabs, i));
  tab.addEventListener("keydown", event => {
    const next = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    const target = (next + tabs.length) % tabs.length;
    choose(tabs, target); tabs[target].focus(); event.preventDefault();
  });
});
if (tabs.length) choose(tabs, 0);

document.querySelectorAll(".market").forEach(market => {
  const box = market.querySelector(".timeline");
  if (!box) return;
  const charts = new Timeline(box, read(JSON.parse(document.getElementById(box.dataset.source).textContent)));
  market.querySelectorAll("tr:has([data-trade])").forEach(row => row.addEventListener("click", () => {
    const index = Number(row.querySelector("[data-trade]").dataset.trade);
    if (index < charts.data.trades.entry.length) charts.show(index);
  }));
});

// Price with trades, account and drawdown on one time axis that can be zoomed. Reports embed this file, and the page imports it.

const GUTTER = 66, FOOT = 20, MINUTE = 60, HOUR = 3600, DAY = 86400;
const STEPS = [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const two = n => String(n).padStart(2, "0");
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const firstAtLeast = (sorted, value) => {
  let low = 0, high = sorted.length;
  while (low < high) { const middle = (low + high) >> 1; if (sorted[middle] < value) low = middle + 1; else high = middle; }
  return low;
};
const stamp = seconds => {
  const d = new Date(seconds * 1000);
  return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
};
const grouped = (value, digits) => value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
const price = value => value === 0 || !isFinite(value) ? "–" : grouped(value, clamp(5 - Math.floor(Math.log10(Math.abs(value))), 2, 12));
const signed = (value, digits) => (value > 0 ? "+" : "") + grouped(value, digits);

const make = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

function palette() {
  const style = getComputedStyle(document.documentElement), colours = {};
  for (const name of ["ink", "soft", "line", "win", "loss", "accent", "hold", "held", "held-wash", "candle", "card"]) colours[name] = style.getPropertyValue("--" + name).trim();
  return colours;
}

export function niceTicks(low, high, wanted) {
  const rough = (high - low) / Math.max(1, wanted), power = 10 ** Math.floor(Math.log10(rough)), ratio = rough / power;
  const step = power * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10), ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) ticks.push(k * step);
  return { ticks, digits: clamp(-Math.floor(Math.log10(step) + 1e-9), 0, 12) };
}

function timeTicks(from, to, width) {
  const step = STEPS.find(s => (to - from) / s * 74 <= width), ticks = [];
  if (step) {
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
      const d = new Date(t * 1000), midnight = t % DAY === 0;
      ticks.push([t, midnight ? `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}` : `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`]);
    }
    return ticks;
  }
  const every = [1, 2, 3, 6, 12, 24, 60].find(m => (to - from) / (m * 30 * DAY) * 74 <= width) || 120;
  const start = new Date(from * 1000);
  for (let m = start.getUTCFullYear() * 12 + start.getUTCMonth(); ; m++) {
    const t = Date.UTC(Math.floor(m / 12), m % 12, 1) / 1000;
    if (t > to) return ticks;
    if (t >= from && m % every === 0) ticks.push([t, m % 12 === 0 || every >= 12 ? `${Math.floor(m / 12)}` : MONTHS[m % 12]]);
  }
}

class Plot {
  constructor(holder, group) {
    this.holder = holder; this.group = group; this.kind = holder.dataset.kind;
    this.canvas = holder.querySelector("canvas"); this.pen = this.canvas.getContext("2d");
  }
  fit() {
    const scale = window.devicePixelRatio || 1, box = this.holder.getBoundingClientRect();
    this.width = box.width; this.height = box.height;
    this.canvas.width = Math.round(box.width * scale); this.canvas.height = Math.round(box.height * scale);
    this.pen.setTransform(scale, 0, 0, scale, 0, 0);
    this.right = this.width - GUTTER; this.bottom = this.height - FOOT;
    this.floor = this.bottom - (this.kind === "price" ? 22 : 0);
  }
  x(t) { return (t - this.group.from) / (this.group.to - this.group.from) * this.right; }
  y(v) { return this.floor - (v - this.low) / (this.high - this.low) * (this.floor - 8); }
  t(x) { return this.group.from + x / this.right * (this.group.to - this.group.from); }

  range(i0, i1) {
    const d = this.group.data;
    let low = Infinity, high = -Infinity;
    const take = (a, b) => { for (let i = i0; i < i1; i++) { if (a[i] < low) low = a[i]; if (b[i] > high) high = b[i]; } };
    if (this.kind === "price") take(d.low, d.high);
    if (this.kind === "equity") { take(d.equity, d.equity); if (d.hold) take(d.hold, d.hold); }
    if (this.kind === "drawdown") { take(d.drawdown, d.drawdown); [low, high] = [-Math.max(high * 100, .1) * 1.08, 0]; }
    if (low > high) low = high = 0;
    if (this.kind !== "drawdown") { const pad = (high - low || Math.abs(high) || 1) * .06; low -= pad; high += pad; }
    this.low = low; this.high = high;
  }

  draw() {
    this.fit();
    if (this.right < 40) return false;
    const { data, colours, from, to } = this.group;
    const i0 = Math.max(0, firstAtLeast(data.time, from) - 1), i1 = Math.min(data.time.length, firstAtLeast(data.time, to) + 1);
    this.range(i0, i1);
    this.pen.clearRect(0, 0, this.width, this.height);
    this.pen.font = "11.5px system-ui, sans-serif";
    this.segments(colours); this.axes(colours);
    this.pen.save(); this.pen.beginPath(); this.pen.rect(0, 0, this.right, this.bottom); this.pen.clip();
    this[this.kind](data, colours, i0, i1);
    this.pen.restore();
    this.cross(colours);
    return true;
  }

  segments(colours) {
    for (const part of this.group.data.segments) {
      const x0 = clamp(this.x(part.from), 0, this.right), x1 = clamp(this.x(part.to), 0, this.right);
      if (x1 <= x0) continue;
      this.pen.fillStyle = colours["held-wash"];
      if (part.held) this.pen.fillRect(x0, 0, x1 - x0, this.bottom);
      this.pen.strokeStyle = colours.held; this.pen.lineWidth = 1; this.pen.setLineDash([3, 4]);
      if (x0 > 0) { this.pen.beginPath(); this.pen.moveTo(x0, 0); this.pen.lineTo(x0, this.bottom); this.pen.stroke(); }
      this.pen.setLineDash([]);
      this.pen.fillStyle = part.held ? colours.held : colours.soft; this.pen.textAlign = "left"; this.pen.textBaseline = "top";
      if (this.kind === "price" && x1 - x0 > this.pen.measureText(part.name).width + 12) this.pen.fillText(part.name, x0 + 6, 3);
    }
  }

  axes(colours) {
    const pen = this.pen, { ticks, digits } = niceTicks(this.low, this.high, this.bottom / 38);
    pen.lineWidth = 1; pen.strokeStyle = colours.line; pen.fillStyle = colours.soft; pen.textBaseline = "middle"; pen.textAlign = "right";
    for (const value of ticks) {
      const y = Math.round(this.y(value)) + .5;
      pen.beginPath(); pen.moveTo(0, y); pen.lineTo(this.right, y); pen.stroke();
      pen.fillText(digits > 7 ? value.toExponential(2) : grouped(value, digits), this.width - 4, clamp(y, 7, this.bottom - 5));
    }
    pen.textAlign = "center"; pen.textBaseline = "alphabetic";
    for (const [t, words] of timeTicks(this.group.from, this.group.to, this.right)) {
      const x = Math.round(this.x(t)) + .5, half = pen.measureText(words).width / 2;
      pen.globalAlpha = .55; pen.beginPath(); pen.moveTo(x, 0); pen.lineTo(x, this.bottom + 3); pen.stroke(); pen.globalAlpha = 1;
      if (x >= half && x <= this.right + 24) pen.fillText(words, x, this.height - 5);
    }
  }

  price(d, colours, i0, i1) {
    const step = this.x(d.step) - this.x(0);
    if (step >= 4) this.candles(d, colours, i0, i1, step); else this.ribbon(d, colours, i0, i1);
    this.markers(d, colours);
  }
  candles(d, colours, i0, i1, step) {
    const pen = this.pen, half = Math.max(1, Math.min(7, step * .34));
    pen.strokeStyle = colours.candle; pen.lineWidth = 1;
    for (let i = i0; i < i1; i++) {
      const x = Math.round(this.x(d.time[i] + d.step / 2)) + .5, open = this.y(d.open[i]), close = this.y(d.close[i]);
      pen.beginPath(); pen.moveTo(x, this.y(d.high[i])); pen.lineTo(x, this.y(d.low[i])); pen.stroke();
      pen.fillStyle = d.close[i] >= d.open[i] ? colours.card : colours.candle;
      const top = Math.min(open, close), tall = Math.max(1, Math.abs(close - open));
      pen.fillRect(x - half, top, half * 2, tall); pen.strokeRect(x - half, top, half * 2, tall);
    }
  }
  ribbon(d, colours, i0, i1) {
    const pen = this.pen;
    pen.strokeStyle = colours.candle; pen.lineWidth = 1.2; pen.beginPath();
    let column = -1, low = 0, high = 0, last = null;
    const put = () => { if (last !== null) { pen.moveTo(column + .5, this.y(Math.min(low, last))); pen.lineTo(column + .5, this.y(Math.max(high, last)) - .6); } };
    for (let i = i0; i < i1; i++) {
      const x = Math.round(this.x(d.time[i] + d.step / 2));
      if (x !== column) { put(); last = i > i0 ? d.close[i - 1] : d.open[i]; column = x; low = d.low[i]; high = d.high[i]; }
      else { low = Math.min(low, d.low[i]); high = Math.max(high, d.high[i]); }
    }
    put(); pen.stroke();
  }
  markers(d, colours) {
    const trades = d.trades, list = this.group.visibleTrades(), pen = this.pen;
    this.group.marked = list.length * 13 <= this.right;
    for (const i of list) {
      const colour = trades.pnl[i] > 0 ? colours.win : colours.loss, x = this.x(trades.entry[i]), open = trades.exit[i] < 0;
      if (!this.group.marked) { pen.fillStyle = colour; pen.globalAlpha = .75; pen.fillRect(x, trades.pnl[i] > 0 ? this.bottom - 16 : this.bottom - 8, 1.4, 7); pen.globalAlpha = 1; continue; }
      const y = this.y(trades.entry_price[i]), xe = this.x(open ? this.group.last : trades.exit[i]), ye = this.y(trades.exit_price[i]);
      pen.strokeStyle = colour; pen.lineWidth = i === this.group.chosen ? 3 : 1.4;
      if (isFinite(ye)) { pen.setLineDash([4, 3]); pen.beginPath(); pen.moveTo(x, y); pen.lineTo(xe, ye); pen.stroke(); pen.setLineDash([]); }
      this.triangle(x, y, trades.side[i], colour, colours.card, i === this.group.chosen ? 9 : 6.5);
      if (!open && isFinite(ye)) { pen.beginPath(); pen.arc(xe, ye, 3.6, 0, 7); pen.fillStyle = colours.card; pen.fill(); pen.lineWidth = 2; pen.stroke(); }
    }
    if (!this.group.marked) this.rugNote(colours);
  }
  rugNote(colours) {
    const words = "ticks: won above, lost below; zoom in";
    this.pen.fillStyle = colours.card; this.pen.globalAlpha = .8; this.pen.fillRect(4, this.bottom - 38, this.pen.measureText(words).width + 8, 16); this.pen.globalAlpha = 1;
    this.pen.fillStyle = colours.soft; this.pen.textAlign = "left"; this.pen.textBaseline = "middle"; this.pen.fillText(words, 8, this.bottom - 30);
  }
  triangle(x, y, side, colour, edge, size) {
    const pen = this.pen, tip = y - side * size, base = y + side * size * .75;
    pen.beginPath(); pen.moveTo(x, tip); pen.lineTo(x - size * .9, base); pen.lineTo(x + size * .9, base); pen.closePath();
    pen.fillStyle = colour; pen.fill(); pen.save(); pen.strokeStyle = edge; pen.lineWidth = 1; pen.stroke(); pen.restore();
  }

  line(values, d, i0, i1, factor, every = 1) {
    const pen = this.pen;
    let begun = false;
    pen.beginPath();
    for (let i = i0; i < i1; i += every) {
      const x = this.x(d.time[i] + d.step), y = this.y(values[i] * factor);
      if (!Number.isFinite(y)) continue;
      if (begun) pen.lineTo(x, y); else pen.moveTo(x, y);
      begun = true;
    }
  }
  equity(d, colours, i0, i1) {
    const pen = this.pen;
    if (d.hold) {
      const base = Math.round(this.y(d.start)) + .5;
      pen.strokeStyle = colours.soft; pen.lineWidth = 1; pen.setLineDash([1, 3]); pen.beginPath(); pen.moveTo(0, base); pen.lineTo(this.right, base); pen.stroke();
      pen.strokeStyle = colours.hold; pen.lineWidth = 1.3; pen.setLineDash([5, 3]); this.line(d.hold, d, i0, i1, 1, Math.max(1, Math.ceil((i1 - i0) / this.right * 2))); pen.stroke(); pen.setLineDash([]);
    }
    pen.strokeStyle = colours.accent; pen.lineWidth = i1 - i0 > this.right * 3 ? 1.3 : 2; pen.lineJoin = "round"; this.line(d.equity, d, i0, i1, 1); pen.stroke();
  }
  drawdown(d, colours, i0, i1) {
    const pen = this.pen;
    this.line(d.drawdown, d, i0, i1, -100);
    pen.strokeStyle = colours.loss; pen.lineWidth = 1.3; pen.stroke();
    pen.lineTo(this.x(d.time[i1 - 1] + d.step), this.y(0)); pen.lineTo(this.x(d.time[i0] + d.step), this.y(0)); pen.closePath();
    pen.globalAlpha = .22; pen.fillStyle = colours.loss; pen.fill(); pen.globalAlpha = 1;
  }

  cross(colours) {
    const pen = this.pen, { at, drag } = this.group;
    if (drag) { pen.fillStyle = colours.accent; pen.globalAlpha = .16; pen.fillRect(Math.min(drag[0], drag[1]), 0, Math.abs(drag[1] - drag[0]), this.bottom); pen.globalAlpha = 1; }
    if (at === null) return;
    const x = Math.round(this.x(at)) + .5;
    if (x < 0 || x > this.right) return;
    pen.strokeStyle = colours.soft; pen.lineWidth = 1; pen.setLineDash([2, 3]); pen.beginPath(); pen.moveTo(x, 0); pen.lineTo(x, this.bottom); pen.stroke(); pen.setLineDash([]);
  }
}

// data: { time, step, open, high, low, close, equity [, hold, start] [, drawdown], quote, segments: [{ name, from, to, held }],
//   trades: { entry, exit, entry_price, exit_price, pnl, return, bars_held, side, reason, reasons } }; columns of numbers, times and steps in seconds;
//   the exit of an open trade is -1. What is missing is not drawn.
export class Timeline {
  constructor(box, data, signal) {
    this.box = box; this.data = data;
    this.first = data.time[0]; this.last = data.time[data.time.length - 1] + data.step;
    this.from = this.first; this.to = this.last; this.at = null; this.drag = null; this.chosen = -1; this.marked = false; this.waiting = false;
    this.colours = palette();
    this.readout = make("output", { class: "readout" }); this.tip = make("div", { class: "tip", hidden: "" });
    box.classList.add("timeline");
    box.replaceChildren(this.toolbar(), ...this.charts(), this.tip);
    this.plots = [...box.querySelectorAll(".plot")].map(holder => new Plot(holder, this));
    this.plots.forEach(plot => this.listen(plot));
    new ResizeObserver(() => this.later()).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.colours = palette(); this.later(); }, { signal });
    this.draw();
  }
  toolbar() {
    const button = (what, words, label) => {
      const made = make("button", { type: "button", ...(label ? { "aria-label": label, title: label } : {}) }, words);
      made.addEventListener("click", () => this.press(what));
      return made;
    };
    return make("div", { class: "toolbar" }, button({ do: "all" }, "Everything"), ...this.data.segments.map(part => button({ from: part.from, to: part.to }, part.name)),
      button({ do: "earlier" }, "◀", "Earlier"), button({ do: "later" }, "▶", "Later"), button({ do: "in" }, "+", "Zoom in"), button({ do: "out" }, "−", "Zoom out"), this.readout);
  }
  charts() {
    const key = (sign, look, words) => make("span", {}, make("i", { class: look }, sign), ` ${words}`);
    const chart = (kind, title, ...keys) => [make("div", { class: "chart-head" }, make("h3", {}, title), make("p", { class: "legend" }, ...keys)),
      make("div", { class: `plot ${kind}`, "data-kind": kind }, make("canvas", { role: "img", "aria-label": title, tabindex: "0" }))];
    return [
      ...chart("price", "Price with entries and exits", key("▲", "win", "long, won"), key("▲", "loss", "long, lost"), key("▼", "win", "short, won"), key("▼", "loss", "short, lost"), key("○", "plain", "exit")),
      ...chart("equity", `Equity (${this.data.quote})`, key("━", "own", "this variant"), ...(this.data.hold ? [key("┅", "hold", "buy and hold, no costs")] : [])),
      ...(this.data.drawdown ? chart("drawdown", "Drawdown (%)") : []),
    ];
  }
  later() { if (!this.waiting) { this.waiting = true; requestAnimationFrame(() => { this.waiting = false; this.draw(); }); } }
  draw() { const drawn = this.plots.map(plot => plot.draw()).filter(Boolean).length; if (drawn) this.box.dataset.drawn = drawn; }

  visibleTrades() {
    const trades = this.data.trades, list = [];
    for (let i = 0; i < trades.entry.length && trades.entry[i] <= this.to; i++) if (trades.exit[i] < 0 || trades.exit[i] >= this.from) list.push(i);
    return list;
  }
  zoom(from, to) {
    const least = Math.min(this.last - this.first, 12 * this.data.step), span = clamp(to - from, least, this.last - this.first);
    this.from = clamp((from + to - span) / 2, this.first, this.last - span); this.to = this.from + span;
    this.later();
  }
  press(what) {
    const span = this.to - this.from, middle = (this.from + this.to) / 2;
    if (what.from !== undefined) this.zoom(what.from, what.to);
    if (what.do === "all") this.zoom(this.first, this.last);
    if (what.do === "in") this.zoom(middle - span / 4, middle + span / 4);
    if (what.do === "out") this.zoom(middle - span, middle + span);
    if (what.do === "earlier") this.zoom(this.from - span / 3, this.to - span / 3);
    if (what.do === "later") this.zoom(this.from + span / 3, this.to + span / 3);
  }
  listen(plot) {
    const canvas = plot.canvas, keys = { ArrowLeft: "earlier", ArrowRight: "later", "+": "in", "=": "in", "-": "out", "0": "all" };
    const place = event => clamp(event.clientX - canvas.getBoundingClientRect().left, 0, plot.right);
    canvas.addEventListener("pointerdown", event => { if (event.button === 0) { canvas.setPointerCapture(event.pointerId); this.drag = [place(event), place(event)]; } });
    canvas.addEventListener("pointermove", event => { const x = place(event); if (this.drag) this.drag[1] = x; this.point(plot, x, event); this.later(); });
    canvas.addEventListener("pointerup", () => {
      const drag = this.drag; this.drag = null;
      if (drag && Math.abs(drag[1] - drag[0]) > 6) this.zoom(plot.t(Math.min(...drag)), plot.t(Math.max(...drag)));
      this.later();
    });
    canvas.addEventListener("pointercancel", () => { this.drag = null; this.later(); });
    canvas.addEventListener("pointerleave", () => { this.at = null; this.tip.hidden = true; this.readout.textContent = ""; this.later(); });
    canvas.addEventListener("dblclick", () => this.zoom(this.first, this.last));
    canvas.addEventListener("keydown", event => { if (keys[event.key] && !event.ctrlKey && !event.metaKey) { this.press({ do: keys[event.key] }); event.preventDefault(); } });
    canvas.addEventListener("wheel", event => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const t = plot.t(place(event)), factor = event.deltaY > 0 ? 1.25 : .8;
      this.zoom(t - (t - this.from) * factor, t + (this.to - t) * factor);
    }, { passive: false });
  }
  point(plot, x, event) {
    const d = this.data, i = clamp(firstAtLeast(d.time, plot.t(x) + 1) - 1, 0, d.time.length - 1);
    this.at = plot.t(x);
    this.readout.textContent = `${stamp(d.time[i])}  open ${price(d.open[i])}  high ${price(d.high[i])}  low ${price(d.low[i])}  close ${price(d.close[i])}  equity ${grouped(d.equity[i], 2)}${d.drawdown ? `  drawdown ${grouped(d.drawdown[i] * 100, 2)} %` : ""}`;
    const trade = plot.kind === "price" ? this.nearest(plot, x, event.clientY - plot.canvas.getBoundingClientRect().top) : -1;
    if (trade < 0) { this.tip.hidden = true; return; }
    this.say(trade, event);
  }
  nearest(plot, x, y) {
    const trades = this.data.trades;
    let best = -1, least = 15;
    for (const i of this.visibleTrades()) {
      const entry = this.marked ? Math.hypot(plot.x(trades.entry[i]) - x, plot.y(trades.entry_price[i]) - y) : Math.abs(plot.x(trades.entry[i]) - x) * 5;
      const exit = this.marked && trades.exit[i] >= 0 ? Math.hypot(plot.x(trades.exit[i]) - x, plot.y(trades.exit_price[i]) - y) : Infinity;
      if (Math.min(entry, exit) < least) { least = Math.min(entry, exit); best = i; }
    }
    return best;
  }
  say(i, event) {
    const trades = this.data.trades, open = trades.exit[i] < 0, box = this.box.getBoundingClientRect();
    this.tip.textContent = [
      `${trades.side[i] > 0 ? "▲ long" : "▼ short"} no. ${i + 1}, ${trades.pnl[i] > 0 ? "won" : "lost"} ${signed(trades.pnl[i], 2)} ${this.data.quote} (${signed(trades["return"][i] * 100, 2)} %)`,
      `in    ${stamp(trades.entry[i])}  at ${price(trades.entry_price[i])}`,
      open ? "still open at the end" : `out  ${stamp(trades.exit[i])}  at ${price(trades.exit_price[i])}`,
      open ? "" : `exit: ${trades.reasons[trades.reason[i]]}, after ${grouped(trades.bars_held[i], 0)} bars`,
    ].filter(Boolean).join("\n");
    this.tip.hidden = false;
    const x = event.clientX - box.left, y = event.clientY - box.top, wide = this.tip.offsetWidth;
    this.tip.style.left = `${clamp(x + 14 + wide > box.width ? x - wide - 14 : x + 14, 0, Math.max(0, box.width - wide))}px`;
    this.tip.style.top = `${y + 16}px`;
  }
  show(i) {
    const trades = this.data.trades, end = trades.exit[i] < 0 ? this.last : trades.exit[i], pad = Math.max((end - trades.entry[i]) * 1.5, 30 * this.data.step);
    this.chosen = i;
    this.zoom(trades.entry[i] - pad, end + pad);
    this.box.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }
}

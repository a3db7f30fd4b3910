// The price with the trades on it, and the account below: Lightweight Charts, redrawn in light and dark.

import { file, get, segment } from "../api.js";
import { download, failure, h, loading, note, section, table } from "../dom.js";
import { count, figure, moment, number, percent, price as priced } from "../format.js";
import { AreaSeries, CandlestickSeries, createChart, createSeriesMarkers, LineSeries } from "../vendor/lightweight-charts/lightweight-charts.mjs";

const POINTS = 1200;
const LISTED = 100;
// a trade is shown with this many times its length on either side
const ROOM = 6, LEAST_BARS = 120;
const dark = matchMedia("(prefers-color-scheme: dark)");
const seconds = ms => ms / 1000;

export function price(place, found, signal) {
  new PriceView(place, found, signal).load({});
}

class PriceView {
  constructor(place, found, signal) {
    Object.assign(this, { found, signal, market: undefined, chart: null, span: {} });
    this.bars = h("div");
    this.trades = h("div");
    place.replaceChildren(section("Price and trades", {}, this.bars, this.trades));
    dark.addEventListener("change", () => this.draw(), { signal });
    signal.addEventListener("abort", () => this.chart?.remove());
  }

  async load(span) {
    this.span = span;
    this.bars.setAttribute("aria-busy", "true");
    if (!this.told) this.bars.replaceChildren(loading("the price; the variant is simulated again"));
    try {
      this.told = await get(`/evaluations/${segment(this.found.id)}/chart`, { market: this.market, points: POINTS, from_ts: span.from, to_ts: span.to }, this.signal);
      if (this.signal.aborted) return;
      this.draw();
      if (span.from === undefined) this.list();
    } catch (error) {
      if (!this.signal.aborted) this.bars.replaceChildren(failure(error));
    } finally {
      this.bars.removeAttribute("aria-busy");
    }
  }

  draw() {
    if (!this.told) return;
    const { told } = this, canvas = h("div", { class: "price", role: "img", "aria-label": `Price of ${told.market} with ${told.trades.length} trades, and the account below; the trades are in the table` });
    this.chart?.remove();
    this.bars.replaceChildren(this.toolbar(), this.legend(), canvas, note(told.bars_per_candle > 1 ? `One candle is ${told.bars_per_candle} bars; choose a trade to see single bars. ` : "One candle is one bar. ", "Times are UTC."));
    this.chart = drawn(canvas, told);
  }

  toolbar() {
    const markets = h("select", { id: "market", onchange: event => { this.market = event.target.value; this.load({}); } }, this.told.markets.map(key => h("option", { value: key, selected: key === this.told.market }, key)));
    return h("p", { class: "toolbar" }, h("label", { for: "market" }, "Market"), markets,
      this.span.from === undefined ? null : h("button", { type: "button", onclick: () => this.load({}) }, "Show everything"),
      ["trades", "equity"].map(name => this.csv(name)));
  }

  csv(name) {
    const { market } = this.told, place = `${this.found.id.slice(0, 8)}-${name}-${market.replaceAll(/[^A-Za-z0-9]+/g, "-")}.csv`;
    return download(`Download ${name} (CSV)`, place, () => file(`/evaluations/${segment(this.found.id)}/${name}`, { market, form: "csv" }));
  }

  legend() {
    return h("p", { class: "legend" }, h("span", { class: "key win" }, "▲ long, ▼ short that won"), h("span", { class: "key loss" }, "that lost"), h("span", { class: "key account" }, "account"),
      this.told.split_ts === null ? null : h("span", { class: "key heldout" }, "out of sample"));
  }

  list() {
    const { told } = this, newest = told.trades.slice(-LISTED).reverse();
    const rows = newest.map(trade => [
      h("button", { type: "button", title: "Show it on the chart", onclick: () => this.closeUp(trade) }, moment(trade.entry_ts)), moment(trade.exit_ts), trade.side,
      priced(trade.entry_price), priced(trade.exit_price), count(trade.bars_held), [{ class: trade.pnl >= 0 ? "win" : "loss" }, percent(trade.return, true)],
      [{ class: trade.pnl >= 0 ? "win" : "loss" }, number(trade.pnl)], trade.exit_reason.replace("_", " ")]);
    const words = newest.length < told.n_trades ? `The newest ${count(newest.length)} of ${count(told.n_trades)} trades` : `${count(told.n_trades)} trades`;
    this.trades.replaceChildren(h("details", { open: true }, h("summary", null, words),
      table(words, [{ name: "Entry", head: true }, { name: "Exit", word: true }, { name: "Side", word: true }, { name: "Entry price" }, { name: "Exit price" }, { name: "Bars" }, { name: "Return" }, { name: "Profit" }, { name: "Why it ended", word: true }], rows, { class: "scroll trades" })));
  }

  closeUp(trade) {
    const { bar_ms: bar } = this.told, end = trade.exit_ts ?? trade.entry_ts, room = Math.max(LEAST_BARS * bar, ROOM * (end - trade.entry_ts));
    this.load({ from: Math.max(0, trade.entry_ts - room), to: end + room });
    this.bars.scrollIntoView({ block: "nearest" });
  }
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  return name => style.getPropertyValue(`--${name}`).trim();
}

function drawn(place, told) {
  const colour = colours(), { candles } = told;
  const chart = createChart(place, {
    autoSize: true, height: 460,
    layout: { background: { color: colour("card") }, textColor: colour("soft"), attributionLogo: false, panes: { separatorColor: colour("line") } },
    grid: { vertLines: { color: colour("line") }, horzLines: { color: colour("line") } },
    rightPriceScale: { borderColor: colour("line") }, timeScale: { borderColor: colour("line"), timeVisible: true, secondsVisible: false }, localization: { locale: "en-GB" },
  });
  const time = at => seconds(candles.ts[at]);
  const series = chart.addSeries(CandlestickSeries, { upColor: colour("card"), downColor: colour("candle"), borderColor: colour("candle"), wickColor: colour("candle"), priceFormat: format(candles.close), priceLineVisible: false });
  series.setData(candles.ts.map((_, at) => ({ time: time(at), open: candles.open[at], high: candles.high[at], low: candles.low[at], close: candles.close[at] })));
  createSeriesMarkers(series, markers(told, colour));
  const account = chart.addSeries(LineSeries, { color: colour("accent"), lineWidth: 2, priceLineVisible: false, title: "account" }, 1);
  account.setData(candles.ts.map((_, at) => (candles.equity[at] === null ? { time: time(at) } : { time: time(at), value: candles.equity[at] })));
  if (told.split_ts !== null) shadeHeldOut(chart, told, colour);
  chart.panes()[0].setStretchFactor(3);
  chart.panes()[1].setStretchFactor(1);
  chart.timeScale().fitContent();
  return chart;
}

function shadeHeldOut(chart, told, colour) {
  const wash = chart.addSeries(AreaSeries, {
    topColor: colour("held-wash"), bottomColor: colour("held-wash"), lineVisible: false, priceScaleId: "wash", lastValueVisible: false, priceLineVisible: false,
    crosshairMarkerVisible: false, autoscaleInfoProvider: () => ({ priceRange: { minValue: 0, maxValue: 1 } }),
  });
  wash.priceScale().applyOptions({ scaleMargins: { top: 0, bottom: 0 }, visible: false });
  wash.setData(told.candles.ts.filter(ts => ts >= told.split_ts).map(ts => ({ time: seconds(ts), value: 1 })));
}

function format(closes) {
  const digits = Math.min(12, Math.max(2, 5 - Math.floor(Math.log10(Math.abs(closes.find(Boolean) ?? 1)))));
  return { type: "price", precision: digits, minMove: 10 ** -digits };
}

// Trades stand on the candle that holds their bar; where candles are many bars, entries alone.
function markers(told, colour) {
  const { ts } = told.candles, close = told.bars_per_candle === 1;
  const candle = at => {
    let low = 0, high = ts.length - 1;
    while (low < high) { const middle = (low + high + 1) >> 1; if (ts[middle] <= at) low = middle; else high = middle - 1; }
    return seconds(ts[low]);
  };
  const within = at => at !== null && at >= ts[0] && at <= ts.at(-1) + told.bar_ms * told.bars_per_candle;
  const made = told.trades.flatMap(trade => {
    const long = trade.side === "long", tone = colour(trade.pnl >= 0 ? "win" : "loss");
    const entry = within(trade.entry_ts) ? [{ time: candle(trade.entry_ts), position: long ? "belowBar" : "aboveBar", shape: long ? "arrowUp" : "arrowDown", color: tone, text: close ? trade.side : "" }] : [];
    const exit = close && within(trade.exit_ts) ? [{ time: candle(trade.exit_ts), position: long ? "aboveBar" : "belowBar", shape: "circle", color: tone, text: `${trade.exit_reason.replace("_", " ")} ${figure("return", trade.return)}` }] : [];
    return [...entry, ...exit];
  });
  return made.sort((a, b) => a.time - b.time);
}

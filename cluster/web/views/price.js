// The price with the trades on it, and the account below, as reports draw them.

import { file, get, segment } from "../api.js";
import { download, failure, h, loading, note, section, table } from "../dom.js";
import { count, moment, number, percent, price as priced } from "../format.js";
import { Timeline } from "../report/timeline.js";

const POINTS = 1200;
const LISTED = 100;
// a trade is shown with this many times its length on either side
const ROOM = 6, LEAST_BARS = 120;
const seconds = ms => ms / 1000;

export function price(place, found, signal) {
  new PriceView(place, found, signal).load({});
}

class PriceView {
  constructor(place, found, signal) {
    Object.assign(this, { found, signal, market: undefined, span: {} });
    this.bars = h("div");
    this.trades = h("div");
    place.replaceChildren(section("Price and trades", {}, this.bars, this.trades));
  }

  // The span from one time to another, or all; `chosen` is the trade that is shown.
  async load(span, chosen) {
    this.span = span;
    this.bars.setAttribute("aria-busy", "true");
    if (!this.told) this.bars.replaceChildren(loading("the price; the variant is simulated again"));
    try {
      this.told = await get(`/evaluations/${segment(this.found.id)}/chart`, { market: this.market, points: POINTS, from_ts: span.from, to_ts: span.to }, this.signal);
      if (this.signal.aborted) return;
      this.draw(chosen);
      if (span.from === undefined) this.list();
    } catch (error) {
      if (!this.signal.aborted) this.bars.replaceChildren(failure(error));
    } finally {
      this.bars.removeAttribute("aria-busy");
    }
  }

  draw(chosen) {
    const { told } = this, box = h("div");
    this.bars.replaceChildren(this.toolbar(), box, note(told.bars_per_candle > 1 ? `One candle is ${told.bars_per_candle} bars; choose a trade to see single bars. ` : "One candle is one bar. ",
      "Drag to zoom, double-click for everything; arrow keys, plus and minus work too. Times are UTC."));
    const chart = new Timeline(box, timeline(told), this.signal);
    chart.chosen = told.trades.findIndex(trade => trade.entry_ts === chosen?.entry_ts);
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
    this.load({ from: Math.max(0, trade.entry_ts - room), to: end + room }, trade);
    this.bars.scrollIntoView({ block: "nearest" });
  }
}

const column = (rows, value) => rows.map(row => value(row) ?? NaN);

// What the chart of reports is drawn from, of the same things as the API tells them: times in seconds, -1 for a trade that is open.
function timeline({ market, candles, trades, split_ts: split, bar_ms: bar, bars_per_candle: every }) {
  const reasons = [...new Set(trades.map(trade => trade.exit_reason))], of = name => column(trades, trade => trade[name]);
  const first = seconds(candles.ts[0]), step = seconds(bar * every), last = seconds(candles.ts.at(-1)) + step;
  const cut = split === null ? last : Math.min(last, Math.max(first, seconds(split)));
  return {
    time: candles.ts.map(seconds), step, ...Object.fromEntries(["open", "high", "low", "close", "equity"].map(name => [name, candles[name].map(value => value ?? NaN)])),
    quote: market.split("/")[1]?.split(":")[0] ?? "", segments: [{ name: "in sample", from: first, to: cut, held: false }, { name: "out of sample", from: cut, to: last, held: true }].filter(part => split !== null && part.from < part.to),
    trades: {
      entry: trades.map(trade => seconds(trade.entry_ts)), exit: trades.map(trade => (trade.exit_ts === null ? -1 : seconds(trade.exit_ts))), side: trades.map(trade => (trade.side === "long" ? 1 : -1)),
      entry_price: of("entry_price"), exit_price: of("exit_price"), pnl: of("pnl"), return: of("return"), bars_held: of("bars_held"), reason: trades.map(trade => reasons.indexOf(trade.exit_reason)), reasons: reasons.map(reason => reason.replace("_", " ")),
    },
  };
}

// Numbers and times as a person reads them; what is missing is a dash.

const NONE = "–";
const PERCENT = new Set(["total_return", "cagr", "max_drawdown", "win_rate", "exposure", "expectancy", "return", "fees", "slippage", "funding"]);
const SIGNED = new Set(["total_return", "cagr", "expectancy", "return"]);
const COUNT = new Set(["n_trades", "n_obs", "n_open", "n_rejected", "n_liquidated", "n_gaps", "max_stagnation"]);
export const SHOWN = ["total_return", "sharpe", "max_drawdown", "n_trades", "win_rate", "profit_factor"];
const TITLES = {
  total_return: "Return", cagr: "Return a year", sharpe: "Sharpe", sortino: "Sortino", max_drawdown: "Max drawdown", max_stagnation: "Longest stagnation (bars)",
  calmar: "Calmar", n_trades: "Trades", win_rate: "Win rate", profit_factor: "Profit factor", expectancy: "Expectancy", exposure: "Exposure",
  avg_hold: "Mean bars held", turnover: "Turnover a year", fees: "Fees paid", slippage: "Slippage paid", funding: "Funding paid", hold_h: "Hours held", trades_a_day: "Trades a day", n_obs: "Bars",
  pbo: "PBO of the leaderboard", pbo_trials: "PBO of all trials", psr: "PSR in sample", psr_validation: "PSR out of sample", dsr: "DSR of all trials", dsr_effective: "DSR of effective trials",
};

const missing = value => value === null || value === undefined || !Number.isFinite(value);
const minus = text => text.replace("-", "−");

// Figures that have no title of their own are called what they are: `n_paths` is Paths, `psr_validation` PSR validation.
const SHORT_FOR = /\b(psr|dsr|pbo|spa|cpu)\b/g;
const named = name => name.replace(/^n_/, "").replaceAll("_", " ").replace(SHORT_FOR, text => text.toUpperCase());
export const title = name => TITLES[name] ?? named(name).replace(/^./, letter => letter.toUpperCase());

export function number(value, digits = 2) {
  return missing(value) ? NONE : minus(value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
}

export const count = value => number(value, 0);

// How many variants a play spans, from the answer of a check or a list: some spaces are infinite, some are known by a bound.
export const variants = ({ size, size_is_exact: exact }) => (size === null ? "infinitely many" : `${exact ? "" : "at most "}${count(size)}`);

export function percent(value, signed = false) {
  return missing(value) ? NONE : `${signed && value > 0 ? "+" : ""}${number(value * 100)} %`;
}

export function short(value) {
  if (missing(value)) return NONE;
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e7)) return minus(value.toExponential(2));
  return number(value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 4);
}

export function price(value) {
  if (missing(value) || value === 0) return number(value);
  return number(value, Math.min(12, Math.max(2, 5 - Math.floor(Math.log10(Math.abs(value))))));
}

export function figure(name, value) {
  if (PERCENT.has(name)) return percent(value, SIGNED.has(name));
  if (COUNT.has(name)) return count(value);
  return short(value);
}

export const shade = (name, value) => (SIGNED.has(name) || name === "sharpe") && !missing(value) && value !== 0 ? (value > 0 ? "win" : "loss") : "";

export function setting(value) {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function moment(value) {
  if (value === null || value === undefined) return NONE;
  const text = new Date(value).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 16)}`;
}

export function duration(seconds) {
  if (missing(seconds)) return NONE;
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor(whole % 86400 / 3600)} h`;
}

export const shortId = id => (id.length > 14 ? `${id.slice(0, 10)}…` : id);

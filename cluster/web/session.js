// Who is asking: a token, kept for this tab only and sent as a header, never as part of an address.

const KEY = "coinswarm-token";
const RANK = { read: 0, submit: 1, admin: 2 };
let known = null;

export const secret = () => sessionStorage.getItem(KEY);
export const caller = () => known;
export const may = role => known !== null && RANK[known.role] >= RANK[role];

export function enter(text) {
  sessionStorage.setItem(KEY, text.trim());
  known = null;
}

export function forget() {
  sessionStorage.removeItem(KEY);
  known = null;
}

export function remember(token) {
  known = token;
}

// `coinswarm serve` prints an address that ends with the token; it does not stay in the address bar or the history.
export function takeFromAddress() {
  const found = /^#token=([\x21-\x7e]+)$/.exec(location.hash);
  if (!found) return;
  enter(decodeURIComponent(found[1]));
  history.replaceState(null, "", "#/jobs");
}

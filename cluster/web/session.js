// Who is asking: a token, kept for this tab, or for this browser where its owner says so, and sent as a header, never as part of an address.

const KEY = "coinswarm-token";
const RANK = { read: 0, submit: 1, admin: 2 };
let known = null;

export const secret = () => sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
export const stays = () => localStorage.getItem(KEY) !== null;
export const caller = () => known;
export const may = role => known !== null && RANK[known.role] >= RANK[role];

export function enter(text, remembered = false) {
  forget();
  (remembered ? localStorage : sessionStorage).setItem(KEY, text.trim());
}

export function stay() {
  localStorage.setItem(KEY, secret());
  sessionStorage.removeItem(KEY);
}

export function forget() {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
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

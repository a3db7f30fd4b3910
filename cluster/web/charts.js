// Small charts in SVG, drawn again whenever their place changes its width. Colours come from the style sheet.

import { h, s } from "./dom.js";
import { short } from "./format.js";
import { niceTicks } from "./report/timeline.js";

const LEFT = 56, RIGHT = 12, TOP = 12, BOTTOM = 40;

// Keeps a drawing as wide as the page lets it be.
export function drawn(label, draw) {
  const place = h("figure", { class: "chart", "aria-label": label });
  let width = 0;
  new ResizeObserver(([entry]) => {
    const now = Math.round(entry.contentRect.width);
    if (now < 10 || now === width) return;
    width = now;
    place.replaceChildren(draw(width));
  }).observe(place);
  return place;
}

function span(values) {
  let low = Math.min(...values), high = Math.max(...values);
  if (low === high) { const room = Math.abs(low) * 0.1 || 1; low -= room; high += room; }
  const room = (high - low) * 0.05;
  return [low - room, high + room];
}

const scale = ([low, high], from, to) => value => from + (value - low) / (high - low) * (to - from);
const tickText = value => (Math.abs(value) < 1e-12 ? "0" : short(value).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, ""));

// `names.places`: what stands at each whole number of x, such as a day; else the number itself.
function frame(width, height, xSpan, ySpan, names, whole) {
  const x = scale(xSpan, LEFT, width - RIGHT), y = scale(ySpan, height - BOTTOM, TOP);
  const place = value => names.places?.[value] ?? tickText(value);
  const across = niceTicks(...xSpan, Math.max(2, width / 110)).ticks.filter(value => !whole || Number.isInteger(value));
  const grid = [
    ...niceTicks(...ySpan, 5).ticks.map(value => [
      s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
      s("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, tickText(value))]),
    ...across.map(value => s("text", { x: x(value), y: height - BOTTOM + 18, "text-anchor": "middle" }, place(value))),
    s("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: height - BOTTOM, y2: height - BOTTOM }),
    s("text", { class: "name", x: width - RIGHT, y: height - 6, "text-anchor": "end" }, names.x),
    s("text", { class: "name", x: LEFT + 4, y: TOP + 2 }, names.y),
  ];
  return { x, y, grid };
}

// What has links in it is a group: the inside of an image is hidden from a screen reader.
const svg = (role, width, height, label, ...content) => s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role, "aria-label": label }, ...content);

// lines: [{ name, class, points: [[x, y]] }]
export function lines(label, names, wanted, height = 260) {
  const kept = wanted.map(line => ({ ...line, points: line.points.filter(([, y]) => Number.isFinite(y)) })).filter(line => line.points.length);
  if (!kept.length) return null;
  const all = kept.flatMap(line => line.points);
  const xSpan = [Math.min(...all.map(p => p[0])), Math.max(...all.map(p => p[0]))];
  if (xSpan[0] === xSpan[1]) { xSpan[0] -= 0.5; xSpan[1] += 0.5; }
  const chart = drawn(label, width => {
    const { x, y, grid } = frame(width, height, xSpan, span(all.map(p => p[1])), names, true);
    return svg("img", width, height, label, grid, kept.map(line => [
      s("path", { class: `line ${line.class}`, d: line.points.map((p, at) => `${at ? "L" : "M"}${x(p[0]).toFixed(1)},${y(p[1]).toFixed(1)}`).join("") }),
      line.points.length > 40 ? null : line.points.map(p => s("circle", { class: `dot ${line.class}`, cx: x(p[0]), cy: y(p[1]), r: 2.5 },
        s("title", null, `${line.name}, ${names.x} ${names.places?.[p[0]] ?? p[0]}: ${short(p[1])}`)))]));
  });
  const legend = kept.filter(line => line.legend !== false).map(line => h("span", { class: `key ${line.class}` }, line.name));
  return h("div", null, h("p", { class: "legend" }, legend), chart);
}

// points: [{ x, y, class, title, href }]; those that are links can be reached with the keyboard.
export function scatter(label, names, points, height = 300) {
  const kept = points.filter(point => Number.isFinite(point.x) && Number.isFinite(point.y));
  if (!kept.length) return null;
  return drawn(label, width => {
    const { x, y, grid } = frame(width, height, span(kept.map(p => p.x)), span(kept.map(p => p.y)), names, false);
    const dot = point => s("circle", { class: `dot ${point.class}`, cx: x(point.x), cy: y(point.y), r: point.class === "front" ? 5 : 3 }, s("title", null, point.title));
    return svg("group", width, height, label, grid, kept.map(point => (point.href ? s("a", { href: point.href, "aria-label": point.title }, dot(point)) : dot(point))));
  });
}

// cells: [{ column, row, value, title, href }] on a grid whose edges are told; row 0 is at the bottom.
export function map(label, names, columns, rows, cells) {
  const values = cells.map(cell => cell.value).filter(Number.isFinite);
  const low = Math.min(...values), high = Math.max(...values);
  return drawn(label, width => {
    const size = Math.min(64, (width - LEFT - RIGHT) / (columns.length - 1)), tall = Math.min(size, 40);
    const height = TOP + 12 + tall * (rows.length - 1) + BOTTOM, bottom = height - BOTTOM;
    const heat = value => (Number.isFinite(value) ? (high > low ? (value - low) / (high - low) : 1) : 0);
    const box = cell => {
      const made = s("rect", { class: "cell", x: LEFT + cell.column * size + 1, y: bottom - (cell.row + 1) * tall + 1, width: size - 2, height: tall - 2, rx: 3 }, s("title", null, cell.title));
      made.style.setProperty("--heat", heat(cell.value).toFixed(3));
      return cell.href ? s("a", { href: cell.href, "aria-label": cell.title }, made) : made;
    };
    const every = size < 34 ? 2 : 1;
    return svg("group", width, height, label,
      s("rect", { class: "board", x: LEFT, y: bottom - tall * (rows.length - 1), width: size * (columns.length - 1), height: tall * (rows.length - 1), rx: 4 }),
      columns.map((edge, at) => (at % every ? null : s("text", { x: LEFT + at * size, y: bottom + 16, "text-anchor": "middle" }, tickText(edge)))),
      rows.map((edge, at) => s("text", { x: LEFT - 8, y: bottom - at * tall + 4, "text-anchor": "end" }, tickText(edge))),
      s("text", { class: "name", x: LEFT + size * (columns.length - 1), y: height - 6, "text-anchor": "end" }, names.x),
      s("text", { class: "name", x: LEFT, y: TOP }, names.y),
      cells.map(box));
  });
}

// nodes: [{ id, row, text, title, href, class }], links: [[from, to]]; a row for each step back.
export function tree(label, nodes, links) {
  const rows = Math.max(...nodes.map(node => node.row)) + 1, tall = 54, height = rows * tall + 16;
  return drawn(label, width => {
    const places = new Map();
    for (let row = 0; row < rows; row++) {
      const within = nodes.filter(node => node.row === row);
      within.forEach((node, at) => places.set(node.id, [width * (at + 0.5) / within.length, 30 + row * tall]));
    }
    const edge = ([from, to]) => {
      const [a, b] = [places.get(from), places.get(to)];
      return a && b ? s("path", { class: "edge", d: `M${a[0]},${a[1]}C${a[0]},${a[1] + tall / 2} ${b[0]},${b[1] - tall / 2} ${b[0]},${b[1]}` }) : null;
    };
    const dot = node => {
      const [cx, cy] = places.get(node.id), crowded = width / nodes.filter(other => other.row === node.row).length < 70;
      return s("a", { href: node.href, "aria-label": node.title }, s("circle", { class: `dot ${node.class}`, cx, cy, r: node.row === 0 ? 8 : 6 }, s("title", null, node.title)),
        crowded ? null : s("text", { x: cx + 60 < width ? cx + 12 : cx - 12, y: cy + 4, "text-anchor": cx + 60 < width ? "start" : "end" }, node.text));
    };
    return svg("group", width, height, label, links.map(edge), nodes.map(dot));
  });
}

// Charts over time: lines, and stacked bars. Drawn by Observable Plot, with values on hover and focus, a table behind
// each, and CSV.

import { axisX, axisY, dot, gridY, lineY, plot, rectY, ruleY, stackY } from "@observablehq/plot";
import { instant, meta } from "./data.js";
import { csvButton, cut, element, name, tableOf } from "./dom.js";
import { period as periodName, short, show } from "./format.js";
import { addReadout } from "./readout.js";

const HEIGHT = 260;
/** Colours that differ in lightness too, for eyes that do not tell hues apart; the style sheet has them. */
const COLOURS = 8;

/** The colour of the series at that place. */
export function colour(place) {
  return `var(--series-${(place % COLOURS) + 1})`;
}

/**
 * A figure over time.
 *
 * - `points`: `{x, series, y}`, `x` a date or a number, `y` a number or null;
 * - `kind`: `"lines"` or `"bars"` (stacked; negative values below the axis);
 * - `series`: names in the order of their colours; those that occur where it is left out;
 * - `unit`: of `y`; `period`: what `x` stands for (`day`, `week`, `month`, or `number`);
 * - `band`: `[{x, from, to}]` where a line has an interval.
 */
export function timeFigure({ title, note, points, kind = "lines", series, unit, period = "day", xLabel, file }) {
  const names = series ?? [...new Set(points.map((point) => point.series))];
  const shown = points.filter((point) => names.includes(point.series));
  const xs = [...new Set(shown.map((point) => point.x))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const label = (x) => (period === "number" ? `${xLabel} ${x}` : periodName(x, period));
  const byPlace = new Map(shown.map((point) => [`${point.x}\n${point.series}`, point.y]));
  const value = (x, of) => byPlace.get(`${x}\n${of}`) ?? null;

  if (xs.length === 0) return emptyFigure(title, note, "No figures in these dates.");

  const host = element("div", {
    class: "chart", tabindex: 0, role: "img",
    "aria-label": `${title}. ${names.map(cut).join(", ")}, ${label(xs[0])} to ${label(xs.at(-1))}. Arrow keys read the values.`,
  });
  const draw = () => {
    const width = host.clientWidth || 640;
    const svg = plotted({ width, points: shown, names, kind, unit, period });
    host.replaceChildren(svg);
    const scale = svg.scale("x");
    addReadout(host, svg, xs.map((x) => ({
      x: scale.apply(place(x, period)),
      label: label(x),
      values: names.map((of, index) => ({ name: cut(of), colour: names.length > 1 ? colour(index) : null, text: show(value(x, of), unit) })),
    })));
  };
  redrawOnResize(host, draw);

  const heads = [period === "number" ? xLabel : "Date", ...names.map((of) => name(of))];
  const lines = xs.map((x) => [label(x), ...names.map((of) => show(value(x, of), unit))]);
  const saved = xs.map((x) => [x, ...names.map((of) => value(x, of))]);
  return figure({
    title, note, legend: names.length > 1 ? legend(names) : null, body: host,
    table: () => tableOf(title, heads, lines),
    csv: csvButton(file, [period === "number" ? xLabel : "date", ...names], saved),
  });
}

/** A figure: title, note, body, and what stands behind it. */
export function figure({ title, note, legend: legendOf = null, body, table, csv }) {
  const behind = element("details", { class: "behind" }, element("summary", {}, "Table"));
  behind.addEventListener("toggle", () => {
    if (behind.open && behind.children.length === 1) behind.append(table());
  });
  return element("figure", {},
    element("figcaption", {}, element("h3", {}, title), note ? element("p", { class: "muted" }, note) : null),
    legendOf, body,
    element("div", { class: "tools" }, table ? behind : null, csv));
}

/** A figure that has nothing to draw, and says why. */
export function emptyFigure(title, note, why) {
  return figure({ title, note, body: element("p", { class: "empty" }, why) });
}

function legend(names) {
  return element("ul", { class: "legend" }, names.map((of, index) => {
    const mark = element("span", { class: "swatch" });
    mark.style.background = colour(index);
    return element("li", {}, mark, name(of));
  }));
}

/** Draws when the width of `host` is known, and again whenever it changes. */
export function redrawOnResize(host, draw) {
  let width = null;
  new ResizeObserver(() => {
    if (host.clientWidth === width || host.clientWidth === 0) return;
    width = host.clientWidth;
    draw();
  }).observe(host);
}

/** Where a value of `x` is drawn. */
function place(x, period) {
  return period === "number" ? x : instant(x);
}

function plotted({ width, points, names, kind, unit, period }) {
  const x = (point) => place(point.x, period);
  const color = { domain: names, range: names.map((_, index) => colour(index)) };
  const interval = period === "week" ? (meta.week_start === "sunday" ? "sunday" : "monday") : period;
  const marks = kind === "bars"
    ? [rectY(points, stackY({ x, y: "y", fill: "series", interval, insetLeft: 0.5, insetRight: 0.5, order: names }))]
    : lineMarks(points, x, period);
  return adopted(plot({
    width, height: HEIGHT, marginLeft: 56, marginRight: 14, marginBottom: 28,
    x: period === "number" ? { type: "linear" } : { type: "utc" },
    y: { nice: true, zero: true },
    color,
    marks: [
      gridY({ stroke: "var(--grid)", strokeOpacity: 1 }),
      axisY({ ticks: 5, tickSize: 0, label: null, tickFormat: (value) => short(value, unit) }),
      axisX({ tickSize: 3, label: null, ...ticks(points, width, period) }),
      ruleY([0], { stroke: "var(--axis)" }),
      ...marks,
    ],
  }));
}

/** Lines with gaps where a value is missing; a point where a line has a single value. */
function lineMarks(points, x, period) {
  const drawn = points.filter((point) => point.y !== null && point.y !== undefined);
  const counts = new Map();
  for (const point of drawn) counts.set(point.series, (counts.get(point.series) ?? 0) + 1);
  return [
    lineY(points, { x, y: "y", z: "series", stroke: "series", strokeWidth: 2, curve: "linear" }),
    dot(drawn.filter((point) => counts.get(point.series) === 1 || (period !== "day" && counts.get(point.series) < 40)),
      { x, y: "y", fill: "series", r: 2.5 }),
  ];
}

/** Ticks of the horizontal axis: whole numbers, or dates; every month has its own where months are shown. */
function ticks(points, width, period) {
  const most = Math.max(2, Math.floor(width / 90));
  if (period === "month") {
    const months = [...new Set(points.map((point) => point.x))].sort();
    const every = Math.ceil(months.length / most);
    return { ticks: months.filter((_, index) => index % every === 0).map(instant), tickFormat: tick };
  }
  if (period !== "number") return { ticks: most, tickFormat: tick };
  const highest = Math.max(...points.map((point) => point.x));
  const every = Math.ceil((highest + 1) / most);
  return { ticks: Array.from({ length: Math.floor(highest / every) + 1 }, (_, index) => index * every), tickFormat: String };
}

const dayTick = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const monthTick = new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric", timeZone: "UTC" });

function tick(date) {
  return date.getUTCDate() === 1 ? monthTick.format(date) : dayTick.format(date);
}

/**
 * A chart as the page takes it. The page's own style sheet styles it: the security policy lets no style in that came
 * later. What it shows is told by the element around it, so its parts carry no labels of their own.
 */
export function adopted(svg) {
  for (const style of svg.querySelectorAll("style")) style.remove();
  for (const labelled of svg.querySelectorAll("[aria-label], [aria-description]")) {
    labelled.removeAttribute("aria-label");
    labelled.removeAttribute("aria-description");
  }
  svg.classList.add("plot");
  return svg;
}

// Cohorts as a table whose cells are shaded by their value. Cells of periods that are not over are hatched.

import { figure, emptyFigure } from "./chart.js";
import { csvButton, element } from "./dom.js";
import { show } from "./format.js";

/**
 * - `cohorts`: `[{label, key, size, cells: Map(index -> {value, complete, title})}]`;
 * - `indices`: the columns; `indexLabel` names what they count;
 * - `shadeFrom`: the first index whose values the shades are scaled by (retention of period 0 is always whole).
 */
export function cohortFigure({ title, note, cohorts, indices, indexLabel, sizeLabel, shadeFrom = 0, file }) {
  if (cohorts.length === 0 || indices.length === 0) return emptyFigure(title, note, "No cohorts in these dates.");
  const values = cohorts.flatMap((cohort) => indices.filter((index) => index >= shadeFrom)
    .map((index) => cohort.cells.get(index)?.value ?? 0));
  const highest = Math.max(...values, 1e-9);
  const body = element("div", { class: "wide", tabindex: 0, role: "region", "aria-label": title },
    element("table", { class: "cohorts" },
      element("caption", { class: "hidden" }, title),
      element("thead", {}, element("tr", {},
        element("th", { scope: "col" }, "Cohort"), element("th", { scope: "col", class: "number" }, sizeLabel),
        indices.map((index) => element("th", { scope: "col", class: "number" }, `${indexLabel} ${index}`)))),
      element("tbody", {}, cohorts.map((cohort) => element("tr", {},
        element("th", { scope: "row" }, cohort.label),
        element("td", { class: "number" }, show(cohort.size, "count")),
        indices.map((index) => heatCell(cohort.cells.get(index), highest)))))));
  const heads = ["cohort", sizeLabel.toLowerCase(), ...indices.map((index) => `${indexLabel.toLowerCase()} ${index}`)];
  const lines = cohorts.map((cohort) => [cohort.key, cohort.size, ...indices.map((index) => cohort.cells.get(index)?.value)]);
  const hatched = cohorts.some((cohort) => [...cohort.cells.values()].some((cell) => !cell.complete));
  const key = hatched ? element("p", { class: "muted" }, element("span", { class: "swatch incomplete" }), "not complete yet") : null;
  return figure({ title, note, legend: key, body, csv: csvButton(file, heads, lines) });
}

function heatCell(cell, highest) {
  if (!cell || cell.value === null) return element("td", {});
  const made = element("td", { class: `number heat${cell.complete ? "" : " incomplete"}`, title: cell.title }, show(cell.value, "share"));
  made.style.setProperty("--depth", `${Math.round(Math.min(1, cell.value / highest) * 100)}%`);
  return made;
}

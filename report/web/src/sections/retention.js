// Retention: which share of a cohort came back, in exactly a period or in it or later.

import { timeFigure } from "../chart.js";
import { cohortFigure } from "../heatmap.js";
import { periodStart, ratio, rows, sums } from "../data.js";
import { cut, element } from "../dom.js";
import { period as periodName, show } from "../format.js";
import { scope, state } from "../state.js";

const KEPT = ["platform", "country"];
/** The most cohorts and periods of a heat map. */
const MOST = { day: [30, 30], week: [26, 26], month: [24, 24] };
const LABEL = { day: "Day", week: "Week", month: "Month" };

const kinds = {
  exact: { column: "retained_users", title: "Exact retention", says: "active in exactly that period" },
  rolling: { column: "retained_or_later_users", title: "Rolling retention", says: "active in that period or a later one" },
};
let kind = "exact";

/** The heat map of the chosen period, and the curve of all complete cohorts together. */
export function retention(redraw) {
  const { segment, value, note } = scope(KEPT);
  // The week or month in which the chosen dates begin counts whole.
  const from = periodStart(state.from, state.period);
  const chosen = rows("retention").filter((row) =>
    row.cohort_period === state.period && row.segment === segment && row.cohort_start >= from && row.cohort_start <= state.to);
  const map = value === null
    ? element("p", { class: "empty" }, `The cohorts are shown for one ${segment} at a time: choose one above. The curves compare all of them.`)
    : heatMap(chosen.filter((row) => row.segment_value === value), note);
  return [kindSwitch(redraw), curve(chosen, value === null, note), map];
}

function kindSwitch(redraw) {
  const choice = (key, text) => element("label", {}, element("input", {
    type: "radio", name: "retention-kind", value: key, checked: kind === key,
    onchange: () => { kind = key; redraw(); },
  }), ` ${text}`);
  return element("fieldset", { class: "switch" }, element("legend", { class: "hidden" }, "Kind of retention"),
    choice("exact", "Exact"), choice("rolling", "Rolling"));
}

function heatMap(chosen, note) {
  const { column, title, says } = kinds[kind];
  const [mostCohorts, mostIndices] = MOST[state.period];
  const byCohort = new Map();
  for (const row of chosen) {
    if (!byCohort.has(row.cohort_start)) byCohort.set(row.cohort_start, []);
    byCohort.get(row.cohort_start).push(row);
  }
  const cohorts = [...byCohort].sort(([a], [b]) => (a < b ? -1 : 1)).slice(-mostCohorts).map(([start, members]) => ({
    key: start,
    label: periodName(start, state.period),
    size: members[0].cohort_users,
    cells: new Map(members.map((row) => [row.period_index, {
      value: ratio(row[column], row.cohort_users),
      complete: row.is_complete,
      title: `${show(row[column], "count")} of ${show(row.cohort_users, "count")}${row.is_complete ? "" : ", not complete yet"}`,
    }])),
  }));
  const last = Math.max(0, ...cohorts.flatMap((cohort) => [...cohort.cells.keys()]));
  return cohortFigure({
    title: `${title} by ${state.period}`, cohorts, indexLabel: LABEL[state.period], sizeLabel: "Learners", shadeFrom: 1,
    indices: Array.from({ length: Math.min(last, mostIndices) + 1 }, (_, index) => index),
    note: note ?? `Of the learners who first came in a ${state.period}: the share ${says}.`, file: `retention_${kind}_${state.period}`,
  });
}

function curve(chosen, compared, note) {
  const { column, title, says } = kinds[kind];
  const complete = chosen.filter((row) => row.is_complete && row.period_index <= MOST[state.period][1]);
  const totals = sums(complete, (row) => `${row.period_index}\n${row.segment_value}`, [column, "cohort_users"]);
  return timeFigure({
    title: `${title}, all cohorts together`, unit: "share", period: "number", xLabel: LABEL[state.period], file: `retention_curve_${kind}`,
    note: note ?? `Of all cohorts whose period is over: the share ${says}.`,
    points: [...totals].map(([key, total]) => {
      const [index, value] = key.split("\n");
      return { x: Number(index), series: compared ? value : title, y: ratio(total[column], total.cohort_users) };
    }).sort((a, b) => a.x - b.x || (cut(a.series) < cut(b.series) ? -1 : 1)),
  });
}

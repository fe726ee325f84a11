// The figures at the top: the latest value, its change, and a line of the last weeks.

import { lineY, plot } from "@observablehq/plot";
import { addDays, definitions, instant, meta, ratio, rows } from "./data.js";
import { adopted } from "./chart.js";
import { element } from "./dom.js";
import { change, date, headline, shareChange, show } from "./format.js";

/** How many days a line at the top goes back. */
const SPARK_DAYS = 56;
/** How many days' cohorts the conversion counts, and within how many days of the first activity. */
const COHORT_DAYS = 28;
const HORIZON = 30;

/** The figures, of all learners together, as of the date the marts were built for. */
export function headlines() {
  const daily = new Map(rows("activity").filter((row) => row.segment === "overall").map((row) => [row.activity_date, row]));
  const tasks = new Map(rows("tasks").filter((row) => row.segment === "overall").map((row) => [row.activity_date, row]));
  const days = Array.from({ length: SPARK_DAYS }, (_, back) => addDays(meta.to, back + 1 - SPARK_DAYS)).filter((day) => daily.has(day));
  const weekBefore = `against ${weekday(meta.to)} a week before`;
  const ofDay = (title, source, figure, unit, definition) => tile({
    title, unit, definition, against: weekBefore, now: figure(source.get(meta.to)), before: figure(source.get(addDays(meta.to, -7))),
    spark: days.map((day) => ({ x: instant(day), y: figure(source.get(day)) })),
  });
  const column = (of) => (row) => row?.[of] ?? null;
  const stickiness = (row) => (row?.is_mau_window_full ? ratio(row.dau, row.mau) : null);
  return element("div", { class: "tiles" },
    ofDay("Daily learners", daily, column("dau"), "count", "dau"),
    ofDay("Weekly learners", daily, column("wau"), "count", "wau"),
    ofDay("Monthly learners", daily, column("mau"), "count", "mau"),
    ofDay("Stickiness", daily, stickiness, "share", "dau_mau"),
    ofDay("Tasks solved", tasks, column("tasks_solved"), "count", "tasks_solved"),
    ofDay("Success rate", tasks, (row) => (row ? ratio(row.solved, row.attempts) : null), "share", "success_rate"),
    revenueTile(), conversionTile());
}

function weekday(day) {
  return new Intl.DateTimeFormat(undefined, { weekday: "long", timeZone: "UTC" }).format(instant(day));
}

/** Net revenue from the first of the month to that date. */
function monthToDate(byDay, day) {
  let total = null;
  for (let at = `${day.slice(0, 7)}-01`; at <= day; at = addDays(at, 1)) {
    if (byDay.has(at)) total = (total ?? 0) + byDay.get(at);
  }
  return total;
}

function revenueTile() {
  const byDay = new Map(rows("revenue").filter((row) => row.period === "day" && row.segment === "overall").map((row) => [row.period_start, row.net_revenue]));
  const lastMonth = addDays(`${meta.to.slice(0, 7)}-01`, -1);
  // The same day of the month before, or its last one.
  const sameDay = `${lastMonth.slice(0, 7)}-${meta.to.slice(8) < lastMonth.slice(8) ? meta.to.slice(8) : lastMonth.slice(8)}`;
  const days = Array.from({ length: SPARK_DAYS }, (_, back) => addDays(meta.to, back + 1 - SPARK_DAYS)).filter((day) => byDay.has(day));
  return tile({
    title: "Net revenue this month", unit: "money", definition: "net_revenue", against: "against the same days of last month",
    now: monthToDate(byDay, meta.to), before: byDay.has(`${lastMonth.slice(0, 7)}-01`) ? monthToDate(byDay, sameDay) : null,
    spark: days.map((day) => ({ x: instant(day), y: byDay.get(day) })),
  });
}

function conversionTile() {
  const cohorts = rows("conversion").filter((row) => row.conversion === "activity_to_paid" && row.horizon_days === HORIZON && row.is_complete);
  const within = (last) => {
    const chosen = cohorts.filter((row) => row.cohort_date <= last && row.cohort_date > addDays(last, -COHORT_DAYS));
    return ratio(chosen.reduce((sum, row) => sum + row.converted_users, 0), chosen.reduce((sum, row) => sum + row.cohort_users, 0));
  };
  const last = cohorts.map((row) => row.cohort_date).sort().at(-1);
  return tile({
    title: "Conversion in 30 days", unit: "share", definition: "conversion_rate", against: "against the four weeks before",
    text: "Of the learners who first came in the latest four weeks whose 30 days are over: the share with a paid purchase within them.",
    now: last ? within(last) : null, before: last ? within(addDays(last, -COHORT_DAYS)) : null,
    spark: [...new Set(cohorts.map((row) => row.cohort_date))].sort().slice(-SPARK_DAYS).map((day) => ({ x: instant(day), y: within(day) })),
  });
}

function tile({ title, unit, definition, text, against, now, before, spark }) {
  const known = definitions[definition];
  const describes = text ?? known?.description;
  return element("div", { class: "tile" },
    element("h3", {}, title),
    element("p", { class: "value" }, headline(now, unit)),
    element("p", { class: "change" }, changed(now, before, unit, against)),
    sparkline(title, spark),
    describes ? element("details", {}, element("summary", {}, "Definition"), element("p", {}, describes)) : null);
}

function changed(now, before, unit, against) {
  if (now === null) return "not enough history yet";
  if (before === null) return "nothing to compare with yet";
  // A change that is shown as zero points nowhere.
  const difference = Math.abs(now - before) < (unit === "share" ? 0.0005 : Math.abs(before) * 0.0005) ? 0 : now - before;
  const arrow = difference > 0 ? "▲" : difference < 0 ? "▼" : "●";
  const tone = difference > 0 ? "up" : difference < 0 ? "down" : "same";
  const said = unit === "share" ? shareChange(difference) : before > 0 ? change(difference / before) : show(difference, unit);
  return element("span", {}, element("span", { class: tone }, `${arrow} ${said}`), ` ${against} (${headline(before, unit)})`);
}

function sparkline(title, points) {
  const drawn = points.filter((point) => point.y !== null);
  if (drawn.length < 2) return element("div", { class: "spark" });
  const from = date(drawn[0].x.toISOString().slice(0, 10));
  const chart = adopted(plot({
    width: 180, height: 36, margin: 3, axis: null, x: { type: "utc" }, y: { zero: false },
    marks: [lineY(points, { x: "x", y: "y", stroke: "var(--series-1)", strokeWidth: 1.5 })],
  }));
  chart.setAttribute("preserveAspectRatio", "xMinYMid");
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", `${title} since ${from}`);
  return element("div", { class: "spark" }, chart);
}

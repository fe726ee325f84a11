// Loads: how fresh the data is, what came in, and what was rejected.

import { figure, timeFigure } from "../chart.js";
import { addDays, meta, ratio, rows } from "../data.js";
import { csvButton, element, name, tableOf } from "../dom.js";
import { date, show } from "../format.js";
import { state } from "../state.js";

const TABLES = ["events", "purchases", "task_results", "sessions", "ab_test_assignments"];

export function loads() {
  const all = rows("loads");
  const chosen = all.filter((row) => row.batch_date >= state.from && row.batch_date <= state.to);
  return [freshness(all), ...volumes(chosen), rejects(), late(chosen)];
}

function freshness(all) {
  const latest = all.at(-1);
  if (!latest) return element("p", { class: "empty" }, "Nothing has been loaded yet.");
  const missing = missingDates(all);
  return element("div", {},
    element("p", {}, `The latest day loaded is ${date(latest.batch_date)}, committed at ${latest.committed_at} UTC. The figures were built at ${meta.built_at} UTC.`),
    missing.length === 0
      ? element("p", { class: "muted" }, "No date between the first and the latest one is missing.")
      : element("p", { class: "warning" }, `${missing.length === 1 ? "One date is" : `${missing.length} dates are`} missing: ${missing.slice(-10).map(date).join(", ")}${missing.length > 10 ? ", and earlier ones" : ""}. Load them with \`schoolbell load\`.`));
}

function missingDates(all) {
  const loaded = new Set(all.map((row) => row.batch_date));
  const missing = [];
  for (let day = all[0].batch_date; day < all.at(-1).batch_date; day = addDays(day, 1)) {
    if (!loaded.has(day)) missing.push(day);
  }
  return missing;
}

function volumes(chosen) {
  return [
    timeFigure({
      title: "Rows loaded by day", kind: "bars", unit: "count", series: TABLES.filter((table) => chosen.some((row) => row[table])), file: "rows_loaded",
      note: "Accepted events of each day's files, by table.",
      points: chosen.flatMap((row) => TABLES.map((table) => ({ x: row.batch_date, series: table, y: row[table] }))),
    }),
    timeFigure({
      title: "Rejected lines", unit: "share", file: "rejected_share", note: "The share of each day's lines that broke the event contract.",
      points: chosen.map((row) => ({ x: row.batch_date, series: "Rejected", y: ratio(row.rejected, row.rejected + TABLES.reduce((sum, table) => sum + row[table], 0)) ?? 0 })),
    }),
  ];
}

function rejects() {
  const reasons = rows("rejects");
  const title = "Why lines were rejected";
  if (reasons.length === 0) return figure({ title, body: element("p", { class: "empty" }, "No line was rejected in the last 28 days.") });
  const heads = ["Reason", "Field", "Lines", "Latest day", "Example"];
  return figure({
    title, note: "In the last 28 days. `schoolbell rejects export` writes the lines of a day, to be mended and replayed.",
    body: tableOf(title, heads, reasons.map((row) => [row.reason, name(row.field), show(row.lines, "count"), date(row.latest),
      element("span", { class: "example" }, name(row.message), element("br"), element("code", {}, name(row.example)))]), [false, false, true, true, false]),
    csv: csvButton("rejects", heads, reasons.map((row) => [row.reason, row.field, row.lines, row.latest, row.message])),
  });
}

function late(chosen) {
  return timeFigure({
    title: "Late events", unit: "share", file: "late_events", note: "The share of each day's accepted events that happened on an earlier date (UTC).",
    points: chosen.filter((row) => row.late !== null).map((row) => ({ x: row.batch_date, series: "Late", y: ratio(row.late, TABLES.reduce((sum, table) => sum + row[table], 0)) ?? 0 })),
  });
}

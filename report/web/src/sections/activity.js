// Activity and lifecycle: who came, and where they are in their life with the product.

import { timeFigure } from "../chart.js";
import { chosenRows, state } from "../state.js";
import { ratio, rows } from "../data.js";
import { cut } from "../dom.js";

const KEPT = ["platform", "country"];
const PERIOD_NAMES = { day: "Daily", week: "Weekly", month: "Monthly" };

/** Active learners and stickiness. */
export function activity() {
  return [state.period === "day" ? byDay() : byPeriod(), stickiness()];
}

function byDay() {
  const { rows: daily, compared, note } = chosenRows(rows("activity"), KEPT, "activity_date");
  const shared = { period: "day", unit: "count", file: "active_learners" };
  if (compared) {
    const points = daily.map((row) => ({ x: row.activity_date, series: row.segment_value, y: row.dau }));
    return timeFigure({ ...shared, title: "Daily active learners", note: "Distinct learners with any activity on the day.", points });
  }
  const series = ["Daily", "Weekly", "Monthly"];
  const points = daily.flatMap((row) => ["dau", "wau", "mau"].map((column, index) =>
    ({ x: row.activity_date, series: series[index], y: row[column] })));
  return timeFigure({
    ...shared, title: "Active learners", points, series,
    note: note ?? "Distinct learners with any activity in the 1, 7 and 30 days that end on each date.",
  });
}

function byPeriod() {
  const { rows: all, compared, note } = chosenRows(rows("revenue").filter((row) => row.period === state.period), KEPT, "period_start", state.period);
  const points = all.map((row) => ({
    x: row.period_start, series: compared ? row.segment_value : "Active learners", y: row.active_users,
  }));
  return timeFigure({
    title: `${PERIOD_NAMES[state.period]} active learners`, points, unit: "count", period: state.period, file: "active_learners",
    note: note ?? `Distinct learners with any activity in the calendar ${state.period}; the last one may not be over.`,
  });
}

function stickiness() {
  const { rows: daily, compared, note } = chosenRows(rows("activity"), KEPT, "activity_date");
  const full = daily.filter((row) => row.is_mau_window_full);
  return timeFigure({
    title: "Stickiness", unit: "share", file: "stickiness",
    note: note ?? "Daily ÷ monthly active learners: how much of a month's learners come on a day. Shown from the 30th day of history.",
    points: full.map((row) => ({
      x: row.activity_date, series: compared ? row.segment_value : "Stickiness", y: ratio(row.dau, row.mau),
    })),
  });
}

/** New, returning and resurrected learners above the axis, dormant ones below. */
export function lifecycle() {
  const { rows: daily, compared, segment, note } = chosenRows(rows("activity"), KEPT, "activity_date");
  const stages = [["New", "new_users", 1], ["Returning", "returning_users", 1], ["Resurrected", "resurrected_users", 1], ["Dormant", "dormant_users", -1]];
  const of = (title, chosen) => timeFigure({
    title, kind: "bars", unit: "count", series: stages.map(([stage]) => stage), file: "lifecycle",
    note: note ?? "New, returning (also active the day before) and resurrected (back after a gap) learners add up to the day's. Dormant ones, below the axis, were active the day before and stayed away.",
    points: chosen.flatMap((row) => stages.map(([stage, column, sign]) => ({ x: row.activity_date, series: stage, y: sign * row[column] }))),
  });
  if (!compared) return [of("Lifecycle by day", daily)];
  const values = [...new Set(daily.map((row) => row.segment_value))];
  return values.map((value) => of(`Lifecycle by day, ${segment} ${cut(value)}`, daily.filter((row) => row.segment_value === value)));
}

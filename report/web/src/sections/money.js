// Money: revenue, conversion to paid, lifetime value, subscriptions.

import { timeFigure } from "../chart.js";
import { cohortFigure } from "../heatmap.js";
import { meta, periodStart, ratio, rows } from "../data.js";
import { period as periodName, show } from "../format.js";
import { scope, state } from "../state.js";

const KEPT = ["platform", "country", "plan"];
/** The most cohorts of a heat map, and of a chart with a line for each. */
const MOST_COHORTS = 26;
const MOST_LINES = 8;

function periods() {
  // The period in which the chosen dates begin counts whole.
  const from = periodStart(state.from, state.period);
  return rows("revenue").filter((row) => row.period === state.period && row.period_start >= from && row.period_start <= state.to);
}

/** Payments above the axis, refunds below it; revenue a learner; paying learners. */
export function revenue() {
  const all = periods();
  if (!all.some((row) => row.segment === "overall" && (row.gross_revenue || row.refunds))) {
    return [timeFigure({ title: "Revenue", points: [], note: null })];
  }
  const { segment, value, note } = scope(KEPT);
  const chosen = all.filter((row) => row.segment === segment && (value === null || row.segment_value === value));
  // By plan unless the reader cuts by something else.
  const bars = segment === "overall" ? all.filter((row) => row.segment === "plan") : chosen;
  const names = [...new Set(bars.map((row) => row.segment_value))];
  const refunds = "Refunds";
  const shared = { period: state.period, note };
  return [
    timeFigure({
      ...shared, title: `Revenue by ${segment === "overall" ? "plan" : segment}`, kind: "bars", unit: "money", series: [...names, refunds], file: "revenue",
      note: note ?? `Paid purchases in ${meta.currency}, and refunds below the axis, each on its own date. The last ${state.period} may not be over.`,
      points: [
        ...bars.map((row) => ({ x: row.period_start, series: row.segment_value, y: row.gross_revenue })),
        ...bars.filter((row) => row.refunds).map((row) => ({ x: row.period_start, series: refunds, y: -row.refunds })),
      ],
    }),
    timeFigure({
      ...shared, title: "Net revenue", unit: "money", file: "net_revenue",
      points: chosen.map((row) => ({ x: row.period_start, series: value === null ? row.segment_value : "Net revenue", y: row.net_revenue })),
      note: note ?? "Paid purchases less refunds.",
    }),
    timeFigure({
      ...shared, title: "Revenue per learner", unit: "money", file: "revenue_per_learner", note: note ?? "Net revenue by active learner, and by paying learner.",
      points: value === null
        ? chosen.map((row) => ({ x: row.period_start, series: row.segment_value, y: ratio(row.net_revenue, row.active_users) }))
        : chosen.flatMap((row) => [
          { x: row.period_start, series: "Per active learner", y: ratio(row.net_revenue, row.active_users) },
          { x: row.period_start, series: "Per paying learner", y: ratio(row.net_revenue, row.paying_users) },
        ]),
    }),
    timeFigure({
      ...shared, title: "Paying learners", unit: "count", file: "paying_learners", note: note ?? "With a paid purchase, and with the first one ever.",
      points: value === null
        ? chosen.map((row) => ({ x: row.period_start, series: row.segment_value, y: row.paying_users }))
        : chosen.flatMap((row) => [
          { x: row.period_start, series: "Paying", y: row.paying_users },
          { x: row.period_start, series: "Paying for the first time", y: row.new_paying_users },
        ]),
    }),
  ];
}

/** A cohort per row: the share that has paid within so many days. Cohorts of a day add up to weeks and months. */
export function conversion() {
  const kinds = [
    ["activity_to_paid", "From first activity to paid", "Of the learners who first came then: the share with a paid purchase at most so many days later."],
    ["trial_to_paid", "From trial to paid", "Of the learners whose first trial began then: the share with a paid purchase at most so many days later."],
  ];
  const period = state.period === "day" ? "week" : state.period;
  return kinds.map(([kind, title, note]) => {
    const cohorts = new Map();
    const from = periodStart(state.from, period);
    for (const row of rows("conversion")) {
      if (row.conversion !== kind || row.cohort_date < from || row.cohort_date > state.to) continue;
      const key = periodStart(row.cohort_date, period);
      if (!cohorts.has(key)) cohorts.set(key, new Map());
      const cells = cohorts.get(key);
      const cell = cells.get(row.horizon_days) ?? { users: 0, converted: 0, complete: true };
      cell.users += row.cohort_users;
      cell.converted += row.converted_users;
      cell.complete &&= row.is_complete;
      cells.set(row.horizon_days, cell);
    }
    return cohortFigure({
      title, note, indexLabel: "Day", sizeLabel: "Learners", indices: [0, 1, 3, 7, 14, 30, 60, 90], file: kind,
      cohorts: [...cohorts].sort(([a], [b]) => (a < b ? -1 : 1)).slice(-MOST_COHORTS).map(([key, cells]) => ({
        key, label: periodName(key, period), size: cells.get(0)?.users ?? null,
        cells: new Map([...cells].map(([day, cell]) => [day, {
          value: ratio(cell.converted, cell.users), complete: cell.complete,
          title: `${show(cell.converted, "count")} of ${show(cell.users, "count")}${cell.complete ? "" : ", not complete yet"}`,
        }])),
      })),
    });
  });
}

/** What a month's new learners have brought so far, per learner. */
export function lifetimeValue() {
  const complete = rows("ltv").filter((row) => row.is_complete);
  const cohorts = [...new Set(complete.map((row) => row.cohort_month))].sort().slice(-MOST_LINES);
  return [timeFigure({
    title: "Lifetime value", unit: "money", period: "number", xLabel: "Month", file: "lifetime_value",
    note: "Net revenue up to so many months after the first activity, per learner of the month's cohort. Only months that are over.",
    series: cohorts.map((cohort) => periodName(cohort, "month")),
    points: complete.filter((row) => cohorts.includes(row.cohort_month)).map((row) => ({
      x: row.month_index, series: periodName(row.cohort_month, "month"), y: ratio(row.cumulative_net_revenue, row.cohort_users),
    })),
  })];
}

/** Who is still inside a paid period, months after the first. */
export function subscriptions() {
  const { segment, value, note } = scope(["plan"]);
  const all = rows("subscriptions").filter((row) => row.segment === segment);
  const shownValue = value ?? all[0]?.segment_value;
  const cohorts = new Map();
  for (const row of all) {
    if (row.segment_value !== shownValue) continue;
    if (!cohorts.has(row.cohort_month)) cohorts.set(row.cohort_month, []);
    cohorts.get(row.cohort_month).push(row);
  }
  const last = Math.max(0, ...[...cohorts.values()].flat().map((row) => row.month_index));
  return [cohortFigure({
    title: value === null && shownValue !== undefined ? `Subscriptions, plan ${shownValue}` : "Subscriptions",
    note: note ?? "Of a month's new subscribers: the share inside a paid period so many months after their first one began. Only subscribers for whom that day has come count.",
    indexLabel: "Month", sizeLabel: "Subscribers", shadeFrom: 1, indices: Array.from({ length: last + 1 }, (_, index) => index), file: "subscription_retention",
    cohorts: [...cohorts].sort(([a], [b]) => (a < b ? -1 : 1)).slice(-MOST_COHORTS).map(([key, members]) => ({
      key, label: periodName(key, "month"), size: members[0].cohort_subscribers,
      cells: new Map(members.map((row) => [row.month_index, {
        value: ratio(row.retained_subscribers, row.eligible_subscribers), complete: row.eligible_subscribers === row.cohort_subscribers,
        title: `${show(row.retained_subscribers, "count")} of ${show(row.eligible_subscribers, "count")} for whom the day has come`,
      }])),
    })),
  })];
}

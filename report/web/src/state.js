// What the reader has chosen, kept in the address so that it can be bookmarked and sent.

import { addDays, meta, periodStart } from "./data.js";

/** How many days are shown at first. */
const FIRST_DAYS = 90;
const listeners = [];

const first = addDays(meta.to, -(FIRST_DAYS - 1));
const defaults = {
  from: first > meta.from ? first : meta.from,
  to: meta.to,
  period: "day",
  segment: "overall",
  value: "",
  theme: "system",
};

/** The choices in force: dates, period (day, week, month), segment and its value, theme. */
export const state = { ...defaults, ...read() };

function read() {
  const given = Object.fromEntries(new URLSearchParams(location.hash.split("?")[1] ?? ""));
  const isDate = (text) => /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") && text >= meta.from && text <= meta.to;
  const chosen = {};
  if (isDate(given.from)) chosen.from = given.from;
  if (isDate(given.to)) chosen.to = given.to;
  if (["day", "week", "month"].includes(given.period)) chosen.period = given.period;
  if (["light", "dark"].includes(given.theme)) chosen.theme = given.theme;
  if (["platform", "country", "course", "plan"].includes(given.segment)) {
    chosen.segment = given.segment;
    if (given.value !== undefined) chosen.value = `=${given.value}`;
  }
  return chosen;
}

/** Changes some choices, writes them to the address, and tells everyone who listens. */
export function choose(changes) {
  Object.assign(state, changes);
  const kept = new URLSearchParams();
  for (const key of ["from", "to", "period", "theme", "segment"]) {
    if (state[key] !== defaults[key]) kept.set(key, state[key]);
  }
  if (state.value !== "") kept.set("value", state.value.slice(1));
  const section = location.hash.split("?")[0] || "#";
  history.replaceState(null, "", kept.size ? `${section}?${kept}` : section);
  for (const listener of listeners) listener();
}

/** Calls `listener` after every change of a choice. */
export function onChange(listener) {
  listeners.push(listener);
}

/**
 * The chosen segment as far as a table keeps it: `{segment, value, note}`. `value` is null where all values of the
 * segment are compared. A segment that the table does not keep gives all users, and a note that says so.
 */
export function scope(kept) {
  if (state.segment === "overall") return { segment: "overall", value: "", note: null };
  if (!kept.includes(state.segment)) {
    return { segment: "overall", value: "", note: `Not kept by ${state.segment}: all learners are shown.` };
  }
  return { segment: state.segment, value: state.value === "" ? null : state.value.slice(1), note: null };
}

/**
 * The rows of a table that the chosen segment and dates let through; `column` holds the date. Where that is the first
 * date of a week or month, the one in which the chosen dates begin counts whole.
 */
export function chosenRows(rows, kept, column, period = "day") {
  const { segment, value, note } = scope(kept);
  const from = periodStart(state.from, period);
  const chosen = rows.filter((row) =>
    row.segment === segment && (value === null || row.segment_value === value)
    && row[column] >= from && row[column] <= state.to);
  return { rows: chosen, compared: value === null, segment, note };
}

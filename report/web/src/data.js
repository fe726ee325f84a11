// The figures that stand in the page: tables by column, read from the embedded JSON document.

const report = JSON.parse(document.getElementById("data").textContent);

/** What the figures are of: dates, currency, build, warnings. */
export const meta = report.meta;

/** What each figure means and its unit, by name, from the metric catalogue. */
export const definitions = report.definitions;

/** The user's own metrics: name, description, unit, and the table that has its figures. */
export const customMetrics = report.custom_metrics;

const tables = new Map();

/** The rows of a table as objects, in its order; none where the warehouse has no such table. */
export function rows(name) {
  if (!tables.has(name)) tables.set(name, decode(report.tables[name]));
  return tables.get(name);
}

/** How many values of a segment a table leaves out because they are small: `{country: 12}`. */
export function leftOut(name) {
  return report.tables[name]?.left_out ?? {};
}

function decode(table) {
  if (!table) return [];
  const names = Object.keys(table.columns);
  const columns = names.map((name) => {
    const column = table.columns[name];
    return Array.isArray(column) ? column : column.codes.map((code) => column.values[code]);
  });
  return Array.from({ length: table.rows }, (_, row) =>
    Object.fromEntries(names.map((name, place) => [name, columns[place][row]])));
}

/** A date of the form YYYY-MM-DD as the instant of its beginning, UTC. */
export function instant(date) {
  return new Date(`${date}T00:00:00Z`);
}

/** The date so many days after another one. */
export function addDays(date, days) {
  const moved = instant(date);
  moved.setUTCDate(moved.getUTCDate() + days);
  return moved.toISOString().slice(0, 10);
}

/** The first date of the week or month that a date lies in; a day is its own. */
export function periodStart(date, period) {
  if (period === "month") return `${date.slice(0, 7)}-01`;
  if (period !== "week") return date;
  const first = meta.week_start === "sunday" ? 0 : 1;
  return addDays(date, -((instant(date).getUTCDay() - first + 7) % 7));
}

/** Sums of some columns of rows, by a key. Answers a map from key to an object of sums, in order of appearance. */
export function sums(rows, key, columns) {
  const groups = new Map();
  for (const row of rows) {
    const group = key(row);
    let total = groups.get(group);
    if (!total) groups.set(group, (total = Object.fromEntries(columns.map((column) => [column, 0]))));
    for (const column of columns) total[column] += row[column] ?? 0;
  }
  return groups;
}

/** A ratio, or null where the denominator is zero or missing. */
export function ratio(numerator, denominator) {
  return denominator ? numerator / denominator : null;
}

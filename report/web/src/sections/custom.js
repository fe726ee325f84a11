// The user's own metrics, as `metrics.toml` defines them.

import { timeFigure } from "../chart.js";
import { customMetrics, rows } from "../data.js";
import { chosenRows } from "../state.js";

export function ownMetrics() {
  return customMetrics.map((metric) => {
    const { rows: daily, compared, note } = chosenRows(rows(metric.table), metric.dimensions, metric.date);
    return timeFigure({
      title: metric.title, note: note ?? metric.description, unit: metric.unit, file: metric.table,
      points: daily.map((row) => ({ x: row[metric.date], series: compared ? row.segment_value : metric.title, y: row[metric.column] })),
    });
  });
}

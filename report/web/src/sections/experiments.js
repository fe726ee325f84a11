// Experiments: one card each, with a verdict in words, the intervals as a forest plot, and the numbers behind.

import { axisX, axisY, dot, link, plot, ruleX } from "@observablehq/plot";
import { csvButton, cut, element, name, tableOf } from "../dom.js";
import { emptyFigure, figure, redrawOnResize, adopted } from "../chart.js";
import { rows } from "../data.js";
import { change, pValue, show } from "../format.js";

const METRICS = {
  conversion: ["Conversion", "share"],
  revenue_per_user: ["Revenue per learner", "money"],
  active_days: ["Active days", "number"],
  retention_d7: ["Back on day 7", "share"],
  task_success_rate: ["Task success", "share"],
};
const WARNINGS = {
  few_users: "Too few learners on a side to judge.",
  no_variance: "A side has no variance: there is nothing to test.",
  sample_ratio_mismatch: "The sides are not as large as they should be: the assignment is probably broken, and no result can be trusted.",
  unexpected_variant: "A variant that was not expected for this experiment.",
};
/** Results below this adjusted p-value are called a difference. */
const SIGNIFICANCE = 0.05;

export function experiments() {
  const results = rows("experiments");
  if (results.length === 0) return [emptyFigure("Experiments", null, "No experiment has assignments yet.")];
  const groups = Map.groupBy ? Map.groupBy(results, (row) => row.experiment_id) : grouped(results);
  return [...groups].map(([experiment, lines]) => card(experiment, lines));
}

function grouped(results) {
  const groups = new Map();
  for (const row of results) {
    if (!groups.has(row.experiment_id)) groups.set(row.experiment_id, []);
    groups.get(row.experiment_id).push(row);
  }
  return groups;
}

/** The row of each metric and variant that is judged: CUPED, which is the narrower, where there is one. */
function judged(lines) {
  const best = new Map();
  for (const row of lines) {
    const key = `${row.variant}\n${row.metric}`;
    if (!best.has(key) || row.method === "cuped") best.set(key, row);
  }
  return [...best.values()];
}

function card(experiment, lines) {
  const chosen = judged(lines);
  const { control_variant: control, excluded_users: excluded, srm_p_value: srm } = lines[0];
  const warnings = [...new Set(lines.flatMap((row) => row.warnings ?? []))];
  const head = element("div", {},
    element("p", { class: "verdict" }, verdict(chosen, warnings)),
    warnings.map((warning) => element("p", { class: "warning" }, WARNINGS[warning] ?? warning)),
    element("p", { class: "muted" }, "Against ", name(control), `. Sample ratio: p ${srm !== null && srm < 0.001 ? "" : "= "}${pValue(srm)}. `,
      excluded ? `${show(excluded, "count")} learners saw more than one variant and are left out.` : null));
  const heads = ["Variant", "Metric", "Method", "Learners", "Control learners", "Value", "Control", "Difference", "95 % interval", "p", "p, adjusted", "Smallest effect seen"];
  const value = (row, figure) => show(figure, METRICS[row.metric]?.[1] ?? "number");
  const cells = lines.map((row) => [
    name(row.variant), METRICS[row.metric]?.[0] ?? row.metric, row.method === "cuped" ? "CUPED" : "Welch",
    show(row.users, "count"), show(row.control_users, "count"), value(row, row.value), value(row, row.control_value), value(row, row.absolute_difference),
    row.ci_low === null ? "–" : `${value(row, row.ci_low)} to ${value(row, row.ci_high)}`, pValue(row.p_value), pValue(row.p_value_adjusted), value(row, row.minimum_detectable_effect),
  ]);
  const columns = ["variant", "metric", "method", "users", "control_users", "value", "control_value", "absolute_difference", "ci_low", "ci_high", "p_value", "p_value_adjusted", "minimum_detectable_effect"];
  return element("article", { class: "card" }, figure({
    title: cut(experiment), body: element("div", {}, head, forest(experiment, chosen)),
    table: () => tableOf(`Results of ${cut(experiment)}`, heads, cells, heads.map((_, place) => place > 2)),
    csv: csvButton("experiment", columns, lines.map((row) => columns.map((column) => row[column]))),
  }));
}

/** What the tests say, in words. */
function verdict(chosen, warnings) {
  if (warnings.includes("sample_ratio_mismatch")) return "No verdict: the sides were not assigned as they should be.";
  const differs = chosen.filter((row) => row.p_value_adjusted !== null && row.p_value_adjusted < SIGNIFICANCE);
  if (differs.length > 0) {
    return differs.map((row) => {
      const more = row.absolute_difference > 0 ? "higher" : "lower";
      const by = row.relative_lift === null ? "" : ` (${change(row.relative_lift)})`;
      return `${METRICS[row.metric]?.[0] ?? row.metric} is ${more} with ${cut(row.variant)}${by}.`;
    }).join(" ");
  }
  if (chosen.every((row) => row.p_value_adjusted === null)) return "Too early to tell: no metric can be tested yet.";
  return "No difference is shown so far. That does not show that there is none: the intervals say what is still possible.";
}

/** Each variant's relative difference from the control, with its 95 % interval. */
function forest(experiment, chosen) {
  const bars = chosen.filter((row) => row.ci_low !== null && row.control_value).map((row) => ({
    label: `${METRICS[row.metric]?.[0] ?? row.metric}${chosen.some((other) => other.variant !== row.variant) ? `, ${cut(row.variant)}` : ""}`,
    low: row.ci_low / Math.abs(row.control_value), high: row.ci_high / Math.abs(row.control_value),
    middle: row.absolute_difference / Math.abs(row.control_value),
    differs: row.p_value_adjusted !== null && row.p_value_adjusted < SIGNIFICANCE,
  }));
  if (bars.length === 0) return element("p", { class: "empty" }, "No interval can be computed yet.");
  const host = element("div", {
    class: "chart", role: "img",
    "aria-label": `${cut(experiment)}: ${bars.map((bar) => `${bar.label} ${change(bar.middle)}, from ${change(bar.low)} to ${change(bar.high)}`).join("; ")}`,
  });
  const tone = (bar) => (bar.differs ? "var(--series-1)" : "var(--muted)");
  redrawOnResize(host, () => {
    const width = host.clientWidth;
    host.replaceChildren(adopted(plot({
      width, height: 44 + 30 * bars.length, marginLeft: Math.min(190, width * 0.42), marginRight: 18, marginBottom: 30,
      x: { nice: true, tickFormat: (value) => change(value) },
      y: { domain: bars.map((bar) => bar.label), label: null },
      marks: [
        ruleX([0], { stroke: "var(--axis)" }),
        axisX({ label: null, ticks: Math.max(2, Math.floor(width / 120)), tickFormat: (value) => change(value) }),
        axisY({ tickSize: 0, label: null }),
        link(bars, { x1: "low", x2: "high", y1: "label", y2: "label", stroke: tone, strokeWidth: 3, strokeLinecap: "round" }),
        dot(bars, { x: "middle", y: "label", r: 5, fill: tone, title: (bar) => `${bar.label}: ${change(bar.middle)} (${change(bar.low)} to ${change(bar.high)})` }),
      ],
    })));
  });
  return host;
}

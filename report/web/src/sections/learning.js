// Learning: tasks tried and solved over time, by course, and the hardest ones.

import { figure, emptyFigure, timeFigure } from "../chart.js";
import { periodStart, ratio, rows, sums } from "../data.js";
import { csvButton, name, tableOf } from "../dom.js";
import { show } from "../format.js";
import { chosenRows, state } from "../state.js";

const KEPT = ["platform", "country", "course"];
const ADDITIVE = ["attempts", "solved", "tasks_attempted", "tasks_solved", "first_attempts", "first_solved"];

export function learning() {
  const { rows: daily, compared, note } = chosenRows(withFirstSolved(rows("tasks")), KEPT, "activity_date");
  return [success(daily, compared, note), attempts(daily, compared, note), courses(), hardest()];
}

/** First attempts that were correct: the mart has their share, and whole numbers add up over days. */
function withFirstSolved(daily) {
  return daily.map((row) => ({ ...row, first_solved: Math.round((row.first_attempt_success_rate ?? 0) * row.first_attempts) }));
}

function success(daily, compared, note) {
  const totals = sums(daily, (row) => `${periodStart(row.activity_date, state.period)}\n${compared ? row.segment_value : ""}`, ADDITIVE);
  const rates = [["Attempts", "solved", "attempts"], ["First attempts", "first_solved", "first_attempts"], ["Tasks", "tasks_solved", "tasks_attempted"]];
  const points = [...totals].flatMap(([key, total]) => {
    const [x, value] = key.split("\n");
    const shown = compared ? [[value, "solved", "attempts"]] : rates;
    return shown.map(([series, solved, of]) => ({ x, series, y: ratio(total[solved], total[of]) }));
  });
  return timeFigure({
    title: "Success rate", points, unit: "share", period: state.period, file: "success_rate",
    note: note ?? (compared
      ? "The share of attempts that were correct."
      : "The share that was solved of all attempts, of first attempts, and of the tasks that a learner tried on a day."),
  });
}

function attempts(daily, compared, note) {
  const totals = sums(daily, (row) => `${periodStart(row.activity_date, state.period)}\n${compared ? row.segment_value : "Attempts"}`, ["attempts"]);
  return timeFigure({
    title: "Attempts", kind: "bars", unit: "count", period: state.period, file: "attempts", note: note ?? "Task results, right and wrong.",
    points: [...totals].map(([key, total]) => {
      const [x, series] = key.split("\n");
      return { x, series, y: total.attempts };
    }),
  });
}

function courses() {
  const title = "By course";
  const inDates = withFirstSolved(rows("tasks")).filter((row) =>
    row.segment === "course" && row.activity_date >= state.from && row.activity_date <= state.to);
  if (inDates.length === 0) return emptyFigure(title, null, "No course has attempts in these dates.");
  const totals = [...sums(inDates, (row) => row.segment_value, ADDITIVE)].sort(([, a], [, b]) => b.attempts - a.attempts);
  const heads = ["Course", "Attempts", "Solved", "Success rate", "First attempts right"];
  const values = totals.map(([course, total]) => [course, total.attempts, total.solved,
    ratio(total.solved, total.attempts), ratio(total.first_solved, total.first_attempts)]);
  return figure({
    title, note: "In the chosen dates; the largest courses.",
    body: tableOf(title, heads, values.map(([course, ...figures]) => [name(course), show(figures[0], "count"), show(figures[1], "count"), show(figures[2], "share"), show(figures[3], "share")])),
    csv: csvButton("courses", heads, values),
  });
}

function hardest() {
  const title = "Hardest tasks";
  const tasks = rows("hardest_tasks");
  if (tasks.length === 0) return emptyFigure(title, null, "No task has enough attempts yet.");
  const heads = ["Task", "Course", "Attempts", "Learners", "Success rate"];
  return figure({
    title, note: "Of the tasks with at least 20 attempts in the last 28 days: those with the lowest share of correct ones.",
    body: tableOf(title, heads, tasks.map((task) => [name(task.task_id), name(task.course_id), show(task.attempts, "count"), show(task.learners, "count"), show(ratio(task.solved, task.attempts), "share")]),
      [false, false, true, true, true]),
    csv: csvButton("hardest_tasks", heads, tasks.map((task) => [task.task_id, task.course_id, task.attempts, task.learners, ratio(task.solved, task.attempts)])),
  });
}

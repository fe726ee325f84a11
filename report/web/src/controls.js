// What can be chosen: dates, period, segment, theme.

import { meta, rows } from "./data.js";
import { cut, element } from "./dom.js";
import { choose, state } from "./state.js";

const SEGMENT_TABLES = { platform: "activity", country: "activity", course: "tasks", plan: "revenue" };

export function controls() {
  return element("form", { class: "controls", "aria-label": "What is shown", onsubmit: (event) => event.preventDefault() },
    dateField("From", "from"), dateField("To", "to"), periodField(), segmentField(), themeField());
}

function dateField(label, key) {
  return element("label", {}, label, element("input", {
    type: "date", value: state[key], min: meta.from, max: meta.to, name: key,
    onchange: (event) => {
      const chosen = event.target.value;
      if (!chosen || chosen < meta.from || chosen > meta.to) return;
      const other = key === "from" ? "to" : "from";
      const crossed = key === "from" ? chosen > state.to : chosen < state.from;
      choose(crossed ? { [key]: chosen, [other]: chosen } : { [key]: chosen });
      for (const field of ["from", "to"]) event.target.form.elements[field].value = state[field];
    },
  }));
}

function periodField() {
  return element("label", {}, "By", element("select", { name: "period", onchange: (event) => choose({ period: event.target.value }) },
    ["day", "week", "month"].map((period) => element("option", { value: period, selected: state.period === period }, period))));
}

/** The options' values are positions in a list: names may hold anything. */
function segmentField() {
  const choices = [{ segment: "overall", value: "" }];
  const groups = Object.entries(SEGMENT_TABLES).map(([segment, table]) => {
    const values = [...new Set(rows(table).filter((row) => row.segment === segment).map((row) => row.segment_value))].sort();
    if (values.length === 0) return null;
    const option = (value, text) => {
      choices.push({ segment, value });
      return element("option", { value: choices.length - 1, selected: state.segment === segment && state.value === value }, text);
    };
    return element("optgroup", { label: segment[0].toUpperCase() + segment.slice(1) },
      option("", `compare by ${segment}`), values.map((value) => option(`=${value}`, cut(value))));
  });
  return element("label", {}, "Learners", element("select", { name: "segment", onchange: (event) => choose(choices[event.target.value]) },
    element("option", { value: 0, selected: state.segment === "overall" }, "all"), groups));
}

function themeField() {
  return element("label", {}, "Theme", element("select", { name: "theme", onchange: (event) => choose({ theme: event.target.value }) },
    ["system", "light", "dark"].map((theme) => element("option", { value: theme, selected: state.theme === theme }, theme))));
}

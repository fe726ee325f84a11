// The report page: what stands on it, and when it is drawn.

import { customMetrics, meta } from "./data.js";
import { controls } from "./controls.js";
import { element } from "./dom.js";
import { date } from "./format.js";
import { headlines } from "./headlines.js";
import { onChange, state } from "./state.js";
import { activity, lifecycle } from "./sections/activity.js";
import { ownMetrics } from "./sections/custom.js";
import { experiments } from "./sections/experiments.js";
import { learning } from "./sections/learning.js";
import { loads } from "./sections/loads.js";
import { conversion, lifetimeValue, revenue, subscriptions } from "./sections/money.js";
import { retention } from "./sections/retention.js";

const SECTIONS = [
  ["activity", "Activity", activity],
  ["lifecycle", "Lifecycle", () => [lifecycle()].flat()],
  ["retention", "Retention", retention],
  ["learning", "Learning", learning],
  ["revenue", "Revenue", revenue],
  ["conversion", "Conversion", conversion],
  ["ltv", "Lifetime value", lifetimeValue],
  ["subscriptions", "Subscriptions", subscriptions],
  ["experiments", "Experiments", experiments],
  ...(customMetrics.length > 0 ? [["own", "Your metrics", ownMetrics]] : []),
  ["loads", "Loads", loads],
];

function head() {
  return element("header", {},
    element("h1", {}, "Schoolbell"),
    element("p", { class: "as-of" }, `As of ${date(meta.as_of)}`, element("span", { class: "muted" },
      ` · built ${meta.built_at} UTC · days of ${meta.time_zone} · money in ${meta.currency}`)),
    meta.warnings.map((warning) => element("p", { class: "warning", role: "status" }, warning)));
}

/** A section whose body is drawn anew when a choice changes. */
function section([id, title, body]) {
  const content = element("div", { class: "figures" });
  const draw = () => content.replaceChildren(...body(draw));
  onChange(draw);
  draw();
  return element("section", { id, "aria-labelledby": `${id}-title` }, element("h2", { id: `${id}-title`, tabindex: -1 }, title), content);
}

function navigation() {
  return element("nav", { "aria-label": "Sections" }, element("ul", {}, SECTIONS.map(([id, title]) => element("li", {},
    element("a", {
      href: `#${id}`,
      onclick: (event) => {
        // The address keeps the choices.
        event.preventDefault();
        history.replaceState(null, "", `#${id}${location.hash.includes("?") ? `?${location.hash.split("?")[1]}` : ""}`);
        document.getElementById(id).scrollIntoView();
        document.getElementById(`${id}-title`).focus({ preventScroll: true });
      },
    }, title)))));
}

function applyTheme() {
  document.documentElement.dataset.theme = state.theme;
}

applyTheme();
onChange(applyTheme);
document.title = `Schoolbell, ${meta.as_of}`;
if (meta.as_of === null) {
  document.body.replaceChildren(element("main", {}, head(), element("p", { class: "empty" }, "There are no figures yet.")));
} else {
  document.body.replaceChildren(
    navigation(),
    element("main", {}, head(), headlines(), controls(), SECTIONS.map(section),
      element("footer", { class: "muted" }, `Made by Schoolbell ${meta.version}. Charts by Observable Plot (ISC licence).`)));
  document.getElementById(location.hash.slice(1).split("?")[0])?.scrollIntoView();
}
document.body.dataset.drawn = "true";

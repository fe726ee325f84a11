// The values under the pointer, or under the keyboard's position, of a chart over time.

import { element } from "./dom.js";

const NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * Lets a chart answer with its values. `stops` are `{x, label, values: [{name, colour, text}]}` with `x` in pixels of
 * the chart, from left to right. Pointer and arrow keys choose one of them; Escape closes the box.
 */
export function addReadout(host, svg, stops) {
  if (stops.length === 0) return;
  const box = element("div", { class: "readout", "aria-hidden": "true", hidden: true });
  const spoken = element("div", { class: "hidden", "aria-live": "polite" });
  const rule = document.createElementNS(NAMESPACE, "line");
  rule.setAttribute("class", "readout-rule");
  rule.setAttribute("y2", svg.getAttribute("height"));
  rule.setAttribute("visibility", "hidden");
  svg.append(rule);
  host.append(box, spoken);
  let position = null;

  function show(place, say) {
    position = Math.max(0, Math.min(stops.length - 1, place));
    const { x, label, values } = stops[position];
    rule.setAttribute("x1", x);
    rule.setAttribute("x2", x);
    rule.setAttribute("visibility", "visible");
    box.replaceChildren(element("b", {}, label), ...values.map(({ name, colour, text }) => {
      const mark = element("span", { class: "swatch" });
      if (colour) mark.style.background = colour;
      return element("div", {}, mark, element("bdi", {}, name), " ", element("span", { class: "figure" }, text));
    }));
    box.hidden = false;
    const right = x + 12 + box.offsetWidth > host.clientWidth;
    box.style.left = `${Math.max(0, right ? x - 12 - box.offsetWidth : x + 12)}px`;
    if (say) spoken.textContent = `${label}: ${values.map(({ name, text }) => `${name} ${text}`).join(", ")}`;
  }

  function hide() {
    box.hidden = true;
    rule.setAttribute("visibility", "hidden");
  }

  function nearest(x) {
    let best = 0;
    stops.forEach((stop, place) => {
      if (Math.abs(stop.x - x) < Math.abs(stops[best].x - x)) best = place;
    });
    return best;
  }

  const keys = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7, Home: -Infinity, End: Infinity };
  host.onpointermove = (event) => show(nearest(event.clientX - svg.getBoundingClientRect().left), false);
  host.onpointerleave = hide;
  host.onfocus = () => show(position ?? stops.length - 1, true);
  host.onblur = hide;
  host.onkeydown = (event) => {
    if (event.key === "Escape") return hide();
    if (!(event.key in keys)) return;
    event.preventDefault();
    show((position ?? stops.length - 1) + keys[event.key], true);
  };
}

// Elements of the page. All text goes in as text, never as markup.

/**
 * An element with attributes and children. Attributes that begin with `on` are event handlers; children are elements
 * or texts, and `null` is left out.
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** The most characters of a name that are shown; the whole stands in the title. */
const LONGEST_NAME = 40;

/** A name that comes from data: isolated for text direction, cut where it is long. An empty one says so. */
export function name(text) {
  if (text === "") return element("i", { class: "muted" }, "(none)");
  return element("bdi", { title: text.length > LONGEST_NAME ? text : null }, cut(text));
}

/** A name as plain text, cut where it is long, for axes and labels. */
export function cut(text) {
  if (text === "") return "(none)";
  const characters = [...text];
  return characters.length > LONGEST_NAME ? `${characters.slice(0, LONGEST_NAME - 1).join("")}…` : text;
}

/** A table whose head is `heads` and whose cells are elements or texts; the first column heads its row. */
export function tableOf(caption, heads, lines, numeric = heads.map((_, place) => place > 0)) {
  const cell = (kind, content, place, extra = {}) =>
    element(kind, { class: numeric[place] ? "number" : null, ...extra }, content);
  return element("div", { class: "wide", tabindex: 0, role: "region", "aria-label": caption },
    element("table", {},
      element("caption", { class: "hidden" }, caption),
      element("thead", {}, element("tr", {}, heads.map((head, place) => cell("th", head, place, { scope: "col" })))),
      element("tbody", {}, lines.map((line) => element("tr", {}, line.map((content, place) =>
        place === 0 ? cell("th", content, place, { scope: "row" }) : cell("td", content, place)))))));
}

/** A button that saves lines of values as a CSV file. */
export function csvButton(file, heads, lines) {
  return element("button", {
    type: "button", class: "quiet", "aria-label": `Save ${file} as CSV`,
    onclick: () => save(`${file}.csv`, [heads, ...lines].map((line) => line.map(csvField).join(",")).join("\r\n") + "\r\n"),
  }, "CSV");
}

function csvField(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function save(file, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = element("a", { href: address, download: file });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 0);
}

// Numbers and dates as the reader's locale writes them.

import { instant, meta } from "./data.js";

const number = new Intl.NumberFormat();
const compactNumber = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const signedPercent = new Intl.NumberFormat(undefined, {
  style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero",
});
const points = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, signDisplay: "exceptZero" });
const significant = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const month = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });

/** A formatter of money; a code that the browser does not know stands behind the number. */
function currencyFormat(options) {
  try {
    return new Intl.NumberFormat(undefined, { style: "currency", currency: meta.currency, ...options });
  } catch {
    const plain = new Intl.NumberFormat(undefined, options);
    return { format: (value) => `${plain.format(value)} ${meta.currency}` };
  }
}
const money = currencyFormat({});
const wholeMoney = currencyFormat({ maximumFractionDigits: 0 });
/** From this amount on, headlines leave out what is behind the point. */
const LARGE = 1000;
const compactMoney = currencyFormat({ notation: "compact", maximumFractionDigits: 1 });

const FORMATS = {
  count: (value) => number.format(value),
  share: (value) => percent.format(value),
  money: (value) => money.format(value),
  seconds: (value) => `${significant.format(value)} s`,
  number: (value) => significant.format(value),
  text: (value) => String(value),
};

/** A value of that unit in full; a dash where there is none. */
export function show(value, unit) {
  if (value === null || value === undefined) return "–";
  return FORMATS[unit](value);
}

/** A value of that unit as a headline: large amounts without what is behind the point. */
export function headline(value, unit) {
  return unit === "money" && Math.abs(value ?? 0) >= LARGE ? wholeMoney.format(value) : show(value, unit);
}

/** A value of that unit as short as an axis wants it. */
export function short(value, unit) {
  if (unit === "money") return compactMoney.format(value);
  return unit === "count" || unit === "number" ? compactNumber.format(value) : show(value, unit);
}

/** A change relative to a former value, with its sign. */
export function change(value) {
  return signedPercent.format(value);
}

/** A difference of two shares in percentage points, with its sign. */
export function shareChange(difference) {
  return `${points.format(difference * 100)} pp`;
}

/** A date of the form YYYY-MM-DD. */
export function date(text) {
  return text ? day.format(instant(text)) : "–";
}

/** A period by its first date. */
export function period(text, kind) {
  if (kind === "month") return month.format(instant(text));
  return kind === "week" ? `week of ${date(text)}` : date(text);
}

/** A probability as reports of experiments print it. */
export function pValue(value) {
  if (value === null || value === undefined) return "–";
  return value < 0.001 ? "< 0.001" : value.toFixed(3);
}

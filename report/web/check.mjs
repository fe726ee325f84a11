// Opens a report in headless Chromium as a reader would, and says what it finds:
// `node check.mjs REPORT.html SCREENSHOT_FOLDER NODE_MODULES`.
//
// Prints one JSON document: problems (console errors, requests, accessibility, layout), and what the page shows.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [report, shots, modules] = process.argv.slice(2);
if (!modules) throw new Error("usage: node check.mjs REPORT.html SCREENSHOT_FOLDER NODE_MODULES");
const load = createRequire(join(modules, "."));
const { chromium } = load("playwright-core");
const axe = readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(shots, { recursive: true });

const problems = [];
const browser = await chromium.launch(await launchOptions());
const page = await opened({});
const shown = { title: await page.title(), tiles: await tiles(page), charts: await page.locator(".chart svg").count() };
await accessible(page, "light");
await page.screenshot({ path: join(shots, "desktop.png"), fullPage: true });
shown.switches = await switches(page);
shown.readout = await readout(page);
await page.emulateMedia({ media: "print" });
await page.screenshot({ path: join(shots, "print.png"), fullPage: true });
await page.context().close();

const dark = await opened({ colorScheme: "dark" });
await accessible(dark, "dark");
await dark.screenshot({ path: join(shots, "dark.png"), fullPage: true });
await dark.context().close();

const phone = await opened({ viewport: { width: 390, height: 844 }, hasTouch: true });
await accessible(phone, "phone");
const overflow = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
if (overflow > 0) problems.push(`the phone's page is ${overflow} pixels too wide`);
const smallest = await phone.evaluate(() => Math.min(...[...document.querySelectorAll("body *")]
  .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && element.checkVisibility())
  .map((element) => parseFloat(getComputedStyle(element).fontSize))));
if (smallest < 12) problems.push(`the phone's page has a text of ${smallest} pixels`);
await phone.screenshot({ path: join(shots, "phone.png"), fullPage: true });
await browser.close();
console.log(JSON.stringify({ problems, shown }));

/** The Chromium that CHROMIUM names, the system's, or the one inside the package. */
async function launchOptions() {
  const args = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-sandbox"];
  const installed = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
  if (installed) return { executablePath: installed, args };
  const package_ = join(modules, "@sparticuz/chromium");
  const { default: chrome } = await import(pathToFileURL(join(package_, "build/esm/index.js")).href);
  const { inflate } = await import(pathToFileURL(join(package_, "build/esm/lambdafs.js")).href);
  // Libraries that a small system lacks; the system's own come first.
  const libraries = await inflate(join(package_, "bin/al2023.tar.br"));
  process.env.LD_LIBRARY_PATH = [process.env.LD_LIBRARY_PATH, join(libraries, "lib")].filter(Boolean).join(":");
  return { executablePath: await chrome.executablePath(), args };
}

/** A page with the report, drawn; whatever goes wrong on it is a problem. */
async function opened(options) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US", ...options });
  const tab = await context.newPage();
  tab.on("console", (message) => { if (["error", "warning"].includes(message.type())) problems.push(`console: ${message.text()}`); });
  tab.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  tab.on("request", (request) => { if (!/^(file|data):/.test(request.url())) problems.push(`request: ${request.url()}`); });
  tab.on("dialog", (dialog) => { problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  await tab.goto(pathToFileURL(resolve(report)).href);
  await tab.waitForSelector("body[data-drawn]");
  await tab.waitForFunction(() => [...document.querySelectorAll(".chart")].every((chart) => chart.querySelector("svg")));
  return tab;
}

/** Finds what the page's accessibility lacks (WCAG 2.2 AA). */
async function accessible(tab, which) {
  const found = await tab.evaluate(`${axe}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })
    .then((result) => result.violations.map((violation) => violation.id + ": " + violation.nodes[0].html.slice(0, 200)))`);
  problems.push(...found.map((violation) => `${which}: ${violation}`));
}

/** The headline figures, by title. */
async function tiles(tab) {
  return Object.fromEntries(await tab.locator(".tile").evaluateAll((all) => all.map((tile) =>
    [tile.querySelector("h3").textContent, tile.querySelector(".value").textContent])));
}

/** Chooses week, a comparison, and rolling retention; answers the titles of the figures after each, and the address. */
async function switches(tab) {
  const titles = () => tab.locator("figure h3").allTextContents();
  const answer = { day: await titles() };
  await tab.selectOption("select[name=period]", "week");
  answer.week = await titles();
  const compare = await tab.locator("select[name=segment] option", { hasText: "compare by platform" }).first().getAttribute("value").catch(() => null);
  if (compare) await tab.selectOption("select[name=segment]", compare);
  answer.legend = await tab.locator("#activity .legend li").allTextContents();
  await tab.check("input[name=retention-kind][value=rolling]");
  answer.rolling = await titles();
  answer.address = new URL(tab.url()).hash;
  await tab.selectOption("select[name=segment]", "0");
  await tab.selectOption("select[name=period]", "day");
  return answer;
}

/** What the first chart says of its last date, by keyboard, and its table. */
async function readout(tab) {
  const chart = tab.locator("#activity .chart").first();
  await chart.focus();
  await chart.press("End");
  const said = await chart.locator("[aria-live]").textContent();
  await tab.locator("#activity details.behind summary").first().click();
  const lastRow = await tab.locator("#activity details.behind table").first().locator("tbody tr").last().locator("th, td").allTextContents();
  return { said, lastRow };
}

// The answer to a query as a table, and what EXPLAIN ANALYZE says of it.

import { make, table, visible } from "./dom.js";
import { count, exact, zoneName } from "./format.js";

/** Rows that the table shows. */
const tableRowCountMax = 1000;

const isNumber = (value) => typeof value === "number" || typeof value === "bigint";

/** One table for all series: their names and tags stand in columns before their own. */
function joined(results) {
  const all = results.flatMap((result) => result.series ?? []);
  const hasNames = new Set(all.map((series) => series.name ?? "")).size > 1;
  const tags = [...new Set(all.flatMap((series) => Object.keys(series.tags ?? {})))];
  const own = [...new Set(all.flatMap((series) => series.columns))];
  const rows = [];
  for (const { name, tags: values, columns, values: body } of all) {
    const before = [...(hasNames ? [name ?? ""] : []), ...tags.map((tag) => values?.[tag] ?? "")];
    const places = own.map((column) => columns.indexOf(column));
    for (const row of body) {
      if (rows.length === tableRowCountMax) break;
      rows.push([...before, ...places.map((place) => (place < 0 ? "" : row[place]))]);
    }
  }
  const total = all.reduce((sum, series) => sum + series.values.length, 0);
  return { columns: [...(hasNames ? ["name"] : []), ...tags, ...own], rows, total };
}

function cell(value, isTime, zone) {
  if (value === null) return null;
  if (isTime && typeof value === "string") return exact(value, zone);
  return visible(value);
}

/** Shows the rows of an answer; `link` is where all of them can be had as CSV. */
export function showTable(root, results, zone, link) {
  const { columns, rows, total } = joined(results);
  if (rows.length === 0) return root.replaceChildren(make("p", { class: "hint" }, "The answer is empty."));
  const numeric = new Set();
  columns.forEach((_, index) => {
    const values = rows.map((row) => row[index]).filter((value) => value !== null && value !== "");
    if (values.length > 0 && values.every(isNumber)) numeric.add(index);
  });
  const time = columns.indexOf("time");
  const words = total > rows.length
    ? `The first ${count(rows.length)} of ${count(total)} rows are shown.` : `${count(total)} ${total === 1 ? "row" : "rows"}.`;
  const head = columns.map((column, index) => (index === time ? `time (${zoneName(zone)})` : visible(column)));
  root.replaceChildren(
    make("p", { class: "hint" }, words + " ", make("a", { href: link, download: "varve.csv" }, "All as CSV")),
    table("Rows of the answer", head,
      rows.map((row) => row.map((value, index) => cell(value, index === time, zone))), { numeric }));
}

/** The lines of EXPLAIN ANALYZE: what was looked at in a grid of what and why, the rest as they are. */
export function showPlan(root, lines) {
  const grid = new Map();
  const causes = new Set();
  const rest = [];
  for (const line of lines) {
    const found = /^(WINDOWS|RUNS|ROW GROUPS|BYTES)(?: (.+))?: (\d+)$/.exec(line);
    if (!found) {
      rest.push(line);
      continue;
    }
    const cause = (found[2] ?? "in all").toLowerCase();
    causes.add(cause);
    if (!grid.has(found[1])) grid.set(found[1], new Map());
    grid.get(found[1]).set(cause, found[3]);
  }
  const order = ["in all", ...[...causes].filter((cause) => cause !== "in all" && cause !== "read"), "read"];
  const rows = [...grid].map(([what, values]) =>
    [what.toLowerCase(), ...order.map((cause) => (values.has(cause) ? count(Number(values.get(cause))) : ""))]);
  const facts = rest.map((line) => {
    const colon = /^[A-Z ]+: /.exec(line)?.[0].length ?? 0;
    return make("div", null, make("dt", null, colon ? line.slice(0, colon - 2).toLowerCase() : ""),
      make("dd", null, visible(line.slice(colon))));
  });
  root.replaceChildren(
    rows.length
      ? table("What the statement read", ["", ...order], rows, { numeric: new Set(order.map((_, index) => index + 1)) }) : "",
    make("dl", { class: "facts" }, facts));
}

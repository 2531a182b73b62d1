// The lines of a chart, out of the answer to a query.

import { bucketIn } from "./statement.js";
import { durationOf } from "./times.js";
import { visible } from "./dom.js";

/** Lines that one chart draws; the table has all. */
export const lineCountMax = 24;

const isValue = (value) => typeof value === "number" || typeof value === "bigint";

/** Which columns are numbers, and which two of them are the band of a third: `{ index, name, low, high }`. */
function numberColumns({ columns, values }) {
  const numbers = columns.map((name, index) => ({ index, name }))
    .filter(({ index, name }) => name !== "time" && values.some((row) => isValue(row[index])));
  const at = (name) => numbers.find((column) => column.name === name)?.index;
  const taken = new Set();
  for (const column of numbers) {
    const [low, high] = column.name === "mean" ? ["min", "max"] : [column.name + " min", column.name + " max"];
    if (at(low) === undefined || at(high) === undefined) continue;
    [column.low, column.high] = [at(low), at(high)];
    taken.add(column.low).add(column.high);
  }
  return numbers.filter(({ index }) => !taken.has(index));
}

function labelOf(column, series, { isSeveralColumns, isSeveralNames }) {
  const tags = Object.entries(series.tags ?? {}).map(([key, value]) => `${key}=${value || "∅"}`);
  const words = [];
  if (isSeveralNames) words.push(series.name);
  if (isSeveralColumns || tags.length === 0) words.push(column.name);
  return visible([...words, ...tags].join(" · "));
}

const take = (rows, index) => Float64Array.from(rows, (row) => (isValue(row[index]) ? Number(row[index]) : NaN));

function lineOf(column, series, naming, step) {
  const time = series.columns.indexOf("time");
  const rows = series.values;
  const line = {
    label: labelOf(column, series, naming),
    x: Float64Array.from(rows, (row) => Date.parse(row[time])),
    y: take(rows, column.index),
    low: column.low === undefined ? null : take(rows, column.low),
    high: column.high === undefined ? null : take(rows, column.high),
    gap: Infinity,
  };
  // Newest first is an order that a statement may ask for; a line goes to the right.
  if (line.x.length > 1 && line.x[0] > line.x.at(-1)) {
    for (const part of [line.x, line.y, line.low, line.high]) part?.reverse();
  }
  // A bucket that is empty is left out by fill(none): a wide hole stays open, and is not drawn over.
  if (step) line.gap = 2.5 * Math.max(step, medianStep(line.x));
  return line;
}

function medianStep(x) {
  const steps = [];
  for (let index = 1; index < x.length; index += 1) steps.push(x[index] - x[index - 1]);
  return steps.sort((a, b) => a - b)[steps.length >> 1] ?? 0;
}

/** The lines that an answer holds, at most `lineCountMax`, and how many it would be. */
export function linesOf(results, text) {
  const all = results.flatMap((result) => result.series ?? []).filter((series) => series.columns.includes("time"));
  const pairs = all.flatMap((series) => numberColumns(series).map((column) => ({ column, series })));
  const naming = {
    isSeveralColumns: new Set(pairs.map(({ column }) => column.name)).size > 1,
    isSeveralNames: new Set(all.map((series) => series.name)).size > 1,
  };
  const bucket = bucketIn(text);
  const step = bucket ? durationOf(bucket.toLowerCase()) : null;
  // An aggregate over all time has one row at 1970: a number, and no line.
  const drawn = pairs.filter(({ series }) => series.values.length > 1 || series.values[0]?.[0] !== "1970-01-01T00:00:00Z");
  const lines = drawn.slice(0, lineCountMax).map(({ column, series }) => lineOf(column, series, naming, step));
  return { lines, total: drawn.length };
}

/** Least, mean, greatest and last value of a line between two times. */
export function figuresOf({ x, y, low, high }, start, end) {
  let [least, greatest, sum, number, last] = [Infinity, -Infinity, 0, 0, NaN];
  for (let index = 0; index < x.length; index += 1) {
    if (x[index] < start || x[index] > end || Number.isNaN(y[index])) continue;
    least = Math.min(least, low ? low[index] : y[index]);
    greatest = Math.max(greatest, high ? high[index] : y[index]);
    [sum, number, last] = [sum + y[index], number + 1, y[index]];
  }
  return { least, greatest, mean: number ? sum / number : NaN, last };
}

/** The index of the first time at or after `time`. */
export function lowerBound(x, time) {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

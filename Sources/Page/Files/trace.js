// The outline of a line at the width that it is drawn in.

import { lowerBound } from "./lines.js";

const round = (number) => Math.round(number * 100) / 100;

/** The points of a line that a chart from `start` to `end` shows: those within, and one to each side. */
function inView(line, start, end) {
  return [Math.max(0, lowerBound(line.x, start) - 1), Math.min(line.x.length, lowerBound(line.x, end) + 1)];
}

/**
 * A line for a plot `width` pixels wide: `{ x, y, low, high }`, times and values.
 *
 * Where points outnumber pixels, each pixel has the mean of its points, and their least and greatest as a band: no peak is lost.
 */
export function traceOf(line, start, end, width) {
  const [first, last] = inView(line, start, end);
  const slice = (part) => part && part.subarray(first, last);
  if (last - first <= 2 * width) return { x: slice(line.x), y: slice(line.y), low: slice(line.low), high: slice(line.high) };
  const out = { x: [], y: [], low: [], high: [] };
  const span = (end - start) / width;
  for (let index = first; index < last; ) {
    const pixel = Math.floor((line.x[index] - start) / span);
    let [sum, number, low, high, at] = [0, 0, Infinity, -Infinity, line.x[index]];
    for (; index < last && Math.floor((line.x[index] - start) / span) === pixel; index += 1) {
      if (Number.isNaN(line.y[index])) continue;
      low = Math.min(low, line.low ? line.low[index] : line.y[index]);
      high = Math.max(high, line.high ? line.high[index] : line.y[index]);
      [sum, number, at] = [sum + line.y[index], number + 1, line.x[index]];
    }
    out.x.push(at);
    out.y.push(number ? sum / number : NaN);
    out.low.push(number ? low : NaN);
    out.high.push(number ? high : NaN);
  }
  return out;
}

/** Stretches of a trace without holes: pairs of indices, the second exclusive. */
function stretches({ x, y }, gap) {
  const out = [];
  let begin = -1;
  for (let index = 0; index < x.length; index += 1) {
    const isThere = !Number.isNaN(y[index]);
    if (begin >= 0 && (!isThere || x[index] - x[index - 1] > gap)) {
      out.push([begin, index]);
      begin = -1;
    }
    if (isThere && begin < 0) begin = index;
  }
  if (begin >= 0) out.push([begin, x.length]);
  return out;
}

/** The path of a trace's line. A point alone is a stroke of no length, which round ends make a dot. */
export function linePath(trace, gap, toX, toY) {
  return stretches(trace, gap).map(([begin, end]) => {
    const points = [];
    for (let index = begin; index < end; index += 1) points.push(`${round(toX(trace.x[index]))} ${round(toY(trace.y[index]))}`);
    return "M" + (points.length === 1 ? points[0] + "h0" : points.join("L"));
  }).join("");
}

/** The path of a trace's band; empty where it has none. */
export function bandPath(trace, gap, toX, toY) {
  if (!trace.low) return "";
  return stretches(trace, gap).map(([begin, end]) => {
    const [upper, lower] = [[], []];
    for (let index = begin; index < end; index += 1) {
      const x = round(toX(trace.x[index]));
      upper.push(`${x} ${round(toY(trace.high[index]))}`);
      lower.push(`${x} ${round(toY(trace.low[index]))}`);
    }
    return `M${upper.join("L")}L${lower.reverse().join("L")}Z`;
  }).join("");
}

// Round places on the axes.

import { date, instant, parts } from "./format.js";

const second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
const timeSteps = [1, 2, 5, 10, 20, 50, 100, 200, 500, second, 2 * second, 5 * second, 10 * second, 15 * second, 30 * second,
  minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour,
  day, 2 * day, 7 * day];
const monthSteps = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1200];
const monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const pad = (number, width = 2) => String(number).padStart(width, "0");

/** Round values that cover `low...high` in about `wanted` steps of 1, 2 or 5 times a power of ten. */
export function valueTicks(low, high, wanted) {
  const rough = (high - low) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
  const ticks = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index += 1) ticks.push(index * step);
  return { ticks, step };
}

/** A tick's value, with one prefix for the whole axis and as many places as the step needs. */
export function valueLabel(value, step, greatest) {
  const prefixes = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]];
  if (greatest >= 1e18 || (greatest > 0 && greatest < 1e-4)) return value === 0 ? "0" : value.toExponential(1);
  const [size, prefix] = prefixes.find(([each]) => greatest >= each) ?? [1, ""];
  const unit = prefix === "k" ? 1000 : size;
  const places = Math.max(0, Math.min(10, -Math.floor(Math.log10(step / unit) + 1e-9)));
  return (value === 0 ? "0" : (value / unit).toFixed(places)) + (value === 0 ? "" : prefix);
}

/** Round times between two instants, at most `countMax`: `{ time, label, isMajor }`, by the clock of `zone`. */
export function timeTicks(start, end, countMax, zone) {
  const step = timeSteps.find((each) => (end - start) / each <= countMax);
  if (!step) return monthTicks(start, end, countMax, zone);
  const ticks = [];
  const { year, month, day: first } = parts(start, zone);
  if (step >= day) {
    const stride = step / day;
    const number = Math.floor(Date.UTC(year, month, first) / day);
    // Days are counted by the calendar: some have 23 hours.
    for (let index = -((number + 3) % stride); ; index += stride) {
      const time = instant(zone, year, month, first + index);
      if (time > end) return ticks;
      if (time >= start) ticks.push({ time, label: dayLabel(time, zone), isMajor: false });
    }
  }
  // From midnight on by the clock; beyond a change of the clock the hours stay round.
  for (let index = 0; ; index += 1) {
    const midnight = instant(zone, year, month, first + index);
    if (midnight > end) return ticks;
    const next = instant(zone, year, month, first + index + 1);
    const from = midnight < start ? Math.floor((start - midnight) / step) * step : 0;
    for (let offset = from; midnight + offset < next && midnight + offset <= end; offset += step) {
      const time = midnight + offset;
      if (time >= start) ticks.push({ time, label: clockLabel(time, step, zone), isMajor: offset === 0 });
    }
  }
}

function monthTicks(start, end, countMax, zone) {
  const months = (end - start) / (30.44 * day);
  const stride = monthSteps.find((each) => months / each <= countMax) ?? monthSteps.at(-1);
  const { year, month } = parts(start, zone);
  const ticks = [];
  for (let index = Math.floor((year * 12 + month) / stride) * stride; ; index += stride) {
    const [y, m] = [Math.floor(index / 12), index % 12];
    const time = instant(zone, y, m);
    if (time > end) return ticks;
    if (time >= start) ticks.push({ time, label: m === 0 ? pad(y, 4) : monthNames[m], isMajor: m === 0 });
  }
}

const dayLabel = (time, zone) => {
  const at = parts(time, zone);
  return `${at.day} ${monthNames[at.month]}`;
};

function clockLabel(time, step, zone) {
  const at = parts(time, zone);
  if (at.hour + at.minute + at.second + at.milli === 0) return dayLabel(time, zone);
  if (step < second) return `${pad(at.minute)}:${pad(at.second)}.${pad(at.milli, 3)}`;
  return `${pad(at.hour)}:${pad(at.minute)}` + (step < minute ? `:${pad(at.second)}` : "");
}

/** The dates that an axis spans. */
export function spanLabel(start, end, zone) {
  const [first, last] = [date(start, zone), date(end, zone)];
  return first === last ? first : `${first} – ${last}`;
}

// Time ranges as people write them: the words that `varve query --time` takes.

import { instant, parts } from "./format.js";

const units = { ns: 1e-6, u: 1e-3, µ: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const examples = "write -6h, 14:00..14:10, yesterday, 2026-11-20, 2026-11-20 14:00, or all";

/** Milliseconds of a duration such as `1h30m`; `null` where it is none. */
export function durationOf(text) {
  if (!/^(\d+(ns|ms|u|µ|s|m|h|d|w))+$/.test(text)) return null;
  return [...text.matchAll(/(\d+)(ns|ms|u|µ|s|m|h|d|w)/g)].reduce((sum, [, number, unit]) => sum + number * units[unit], 0);
}

/** A time of day as its parts. */
function timeOfDay(text) {
  const found = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/.exec(text);
  if (!found || found[1] > 23 || found[2] > 59 || found[3] > 59) return null;
  return [Number(found[1]), Number(found[2]), Number(found[3] ?? 0), Math.floor(Number("0." + (found[4] ?? 0)) * 1000)];
}

/** The days, months or years that a word stands for: `[first instant, first instant after]`. */
function period(word, now, zone) {
  const { year, month, day, weekday } = parts(now, zone);
  const days = (first, length = 1) =>
    [instant(zone, year, month, day + first), instant(zone, year, month, day + first + length)];
  const near = { today: 0, yesterday: -1, tomorrow: 1 };
  if (word in near) return days(near[word]);
  if (weekdays.includes(word)) return days(-(((weekday - weekdays.indexOf(word) + 6) % 7) + 1));
  const found = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(word);
  if (!found) return null;
  const [y, m, d] = found.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
  if (m === undefined) return [instant(zone, y, 0), instant(zone, y + 1, 0)];
  if (m < 1 || m > 12) return null;
  if (d === undefined) return [instant(zone, y, m - 1), instant(zone, y, m)];
  const start = instant(zone, y, m - 1, d);
  return parts(start, zone).day === d && d > 0 ? [start, instant(zone, y, m - 1, d + 1)] : null;
}

/** The instant, or the period, that a text stands for: `[start, end or null]`. A time of day is the first at or after `from`. */
function read(text, now, zone, from = null) {
  const word = text.trim().toLowerCase();
  if (word === "now") return [now, null];
  if (/^[-+]/.test(word)) {
    const length = durationOf(word.slice(1));
    if (length !== null) return [now + (word[0] === "-" ? -length : length), null];
  }
  if (/^\d{5,19}$/.test(word)) {
    const size = word.length;
    const number = Number(word);
    return [size <= 11 ? number * 1e3 : size <= 14 ? number : size <= 17 ? number / 1e3 : number / 1e6, null];
  }
  const clock = timeOfDay(word);
  if (clock) {
    const { year, month, day } = parts(from ?? now, zone);
    const today = instant(zone, year, month, day, ...clock);
    if (from !== null) return [today >= from ? today : instant(zone, year, month, day + 1, ...clock), null];
    return [today <= now ? today : instant(zone, year, month, day - 1, ...clock), null];
  }
  const whole = period(word, now, zone);
  if (whole) return whole;
  const [, first, second] = /^(\S+?)[ t]+([\d:.]+)$/.exec(word) ?? [];
  const day = first && period(first, now, zone);
  const time = second && timeOfDay(second);
  if (day && time) {
    const { year, month, day: number } = parts(day[0], zone);
    return [instant(zone, year, month, number, ...time), null];
  }
  if (/^\d{4}-\d\d-\d\dt\d\d:\d\d(:\d\d(\.\d+)?)?(z|[-+]\d\d:\d\d)$/.test(word)) {
    const time = Date.parse(word.toUpperCase());
    if (!Number.isNaN(time)) return [time, null];
  }
  throw new RangeError(`“${text.trim()}” is no time: ${examples}`);
}

/**
 * Reads a range.
 *
 * The answer has `start` and `end` in milliseconds; `since`, the duration, where it is the time before now; or `isAll`.
 */
export function readRange(text, now, zone) {
  const word = text.trim().toLowerCase();
  if (word === "all") return { isAll: true };
  const dots = word.indexOf("..");
  if (dots < 0) {
    const [start, end] = read(text, now, zone);
    if (start > (end ?? now)) throw new RangeError(`“${text.trim()}” lies ahead: end it, as in ${text.trim()}..+1h`);
    return { start, end: end ?? now, since: /^-\S+$/.test(word) ? word.slice(1) : null };
  }
  const [from, to] = [text.trim().slice(0, dots), text.trim().slice(dots + 2)];
  if (!from.trim()) throw new RangeError("a range here needs a beginning: " + examples);
  const start = read(from, now, zone)[0];
  const last = to.trim() ? read(to, now, zone, start) : [now, null];
  const end = last[1] ?? last[0];
  if (!(start < end)) throw new RangeError(`“${text.trim()}” ends before it begins`);
  return { start, end, since: null };
}

/** An instant as RFC 3339, without a fraction where it has none. */
export const instantText = (time) => new Date(time).toISOString().replace(".000Z", "Z");

/** A range of two instants as a text that `readRange` takes. */
export const rangeText = (start, end) => `${instantText(start)}..${instantText(end)}`;

/** A range widened to round times, so that it reads well: by at most a hundredth on either side. */
export function rounded(start, end) {
  const unit = [36e5, 6e5, 6e4, 1e4, 1e3, 100, 10].find((each) => (end - start) / each >= 100) ?? 1;
  return [Math.floor(start / unit) * unit, Math.ceil(end / unit) * unit];
}

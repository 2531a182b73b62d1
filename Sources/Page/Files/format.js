// Numbers and times as they are shown.

const binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const decimal = ["", "k", "M", "G", "T", "P", "E"];
const pad = (number, width = 2) => String(number).padStart(width, "0");

const significant = (value, digits) => {
  if (value === 0) return "0";
  const places = Math.min(12, Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toFixed(places);
};

/** A whole number with its thousands apart. */
export const count = (value) => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** Bytes to three digits. */
export function bytes(value) {
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < binary.length - 1) [value, unit] = [value / 1024, unit + 1];
  return (unit === 0 ? String(Math.round(value)) : significant(value, 3)) + "\u00a0" + binary[unit];
}

/** A number to three digits with a decimal prefix: how much, not exactly what. */
export function short(value) {
  if (Math.abs(value) < 1000) return Number.isInteger(value) ? String(value) : significant(value, Math.abs(value) < 1 ? 2 : 3);
  let unit = 0;
  while (Math.abs(value) >= 999.5 && unit < decimal.length - 1) [value, unit] = [value / 1000, unit + 1];
  return significant(value, 3) + "\u00a0" + decimal[unit];
}

/** A value of a line, to six digits. */
export function value(number) {
  if (!Number.isFinite(number)) return "–";
  const size = Math.abs(number);
  if (size !== 0 && (size >= 1e15 || size < 1e-6)) return number.toExponential(3);
  if (Number.isInteger(number)) return count(number);
  const places = Math.min(9, Math.max(0, 5 - Math.floor(Math.log10(size))));
  const [whole, fraction] = number.toFixed(places).split(".");
  const rest = (fraction ?? "").replace(/0+$/, "");
  return count(Number(whole)) === "0" && number < 0 ? "-0." + rest : count(Number(whole)) + (rest ? "." + rest : "");
}

/** A time's parts in a zone, `utc` or `local`. */
export function parts(time, zone) {
  const date = new Date(time);
  return zone === "utc"
    ? { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate(), weekday: date.getUTCDay(),
        hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds(), milli: date.getUTCMilliseconds() }
    : { year: date.getFullYear(), month: date.getMonth(), day: date.getDate(), weekday: date.getDay(),
        hour: date.getHours(), minute: date.getMinutes(), second: date.getSeconds(), milli: date.getMilliseconds() };
}

/** The instant at which a zone's clock shows these parts. */
export const instant = (zone, year, month, day = 1, hour = 0, minute = 0, second = 0, milli = 0) =>
  zone === "utc"
    ? Date.UTC(year, month, day, hour, minute, second, milli)
    : new Date(year, month, day, hour, minute, second, milli).getTime();

export const date = (time, zone) => {
  const at = parts(time, zone);
  return `${pad(at.year, 4)}-${pad(at.month + 1)}-${pad(at.day)}`;
};

/** The time of day, to the second, or to the millisecond where there are some. */
export const clock = (time, zone, withMillis = false) => {
  const at = parts(time, zone);
  return `${pad(at.hour)}:${pad(at.minute)}:${pad(at.second)}` + (withMillis ? `.${pad(at.milli, 3)}` : "");
};

export const moment = (time, zone) => `${date(time, zone)} ${clock(time, zone, time % 1000 !== 0)}`;

/** A server's RFC 3339 time, with every digit of its fraction, in a zone. */
export function exact(text, zone) {
  const fraction = /\.\d+/.exec(text)?.[0] ?? "";
  const time = Date.parse(text.replace(/\.\d+/, ""));
  return Number.isNaN(time) ? text : `${date(time, zone)} ${clock(time, zone)}${fraction}`;
}

export const zoneName = (zone) =>
  zone === "utc" ? "UTC" : (Intl.DateTimeFormat().resolvedOptions().timeZone ?? "local");

/** A length of time in InfluxQL's words: the largest unit that divides it. */
export function duration(millis) {
  for (const [unit, size] of [["w", 6048e5], ["d", 864e5], ["h", 36e5], ["m", 6e4], ["s", 1e3]]) {
    if (millis >= size && millis % size === 0) return millis / size + unit;
  }
  return millis + "ms";
}

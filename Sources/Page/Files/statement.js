// The InfluxQL that the pickers stand for.

import { duration } from "./format.js";
import { instantText } from "./times.js";

/** Rows of one series that raw points are cut at, and series that one answer shows. */
export const rowLimit = 10000;
export const seriesLimit = 100;

const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5,
  108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5];
const forAnyType = new Set(["count", "first", "last"]);

/** A name in double quotes. */
export const name = (text) => '"' + escape(text, '"') + '"';
/** A string in single quotes. */
const string = (text) => "'" + escape(text, "'") + "'";

const escape = (text, quote) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll(quote, "\\" + quote);

/** The bucket that shows a range in at most `countMax` of them. */
const bucketOf = (length, countMax) => steps.find((step) => length / step <= countMax) ?? steps.at(-1);

const isNumber = (type) => type === "float" || type === "integer" || type === "unsigned";

function call(choice, field, alias) {
  const column = name(field.key);
  // A function of numbers cannot be asked of other types; their last value can.
  const picked = isNumber(field.type) || forAnyType.has(choice) ? choice : "last";
  const [word, argument] = picked.split(" ");
  if (word === "rate") return `non_negative_derivative(max(${column}), 1s) AS ${name(alias)}`;
  return `${word}(${column}${argument ? `, ${argument}` : ""}) AS ${name(alias)}`;
}

function columns({ fields, aggregate, hasBand }) {
  if (aggregate === "raw") return fields.map((field) => name(field.key));
  return fields.flatMap((field) => {
    const main = call(aggregate, field, field.key);
    if (aggregate !== "mean" || !hasBand || !isNumber(field.type)) return [main];
    return [main, call("min", field, field.key + " min"), call("max", field, field.key + " max")];
  });
}

/** Comparisons of tags: those with one key and `=` are alternatives. */
function conditions(filters) {
  const groups = new Map();
  for (const { key, operator, value } of filters) {
    const text = operator.endsWith("~")
      ? `${name(key)} ${operator} /${value.replace(/\\?\//g, "\\/")}/`
      : `${name(key)} ${operator} ${string(value)}`;
    const group = operator === "=" ? "= " + key : text;
    groups.set(group, [...(groups.get(group) ?? []), text]);
  }
  return [...groups.values()].map((each) => (each.length > 1 ? `(${each.join(" OR ")})` : each[0]));
}

function timeConditions(range, isRaw) {
  if (range.since) return [`time > now() - ${range.since}`, ...(isRaw ? ["time <= now()"] : [])];
  return [`time >= '${instantText(range.start)}'`, `time < '${instantText(range.end)}'`];
}

/** Where the points of a measurement lie. */
export const source = ({ policy, measurement }) => (policy ? name(policy) + "." : "") + name(measurement);

/**
 * The statement for a choice, on two or three lines.
 *
 * `zoneName` is the zone whose days the buckets begin with; none for UTC.
 */
export function statementOf(choice, range, zoneName) {
  const isRaw = choice.aggregate === "raw";
  const groups = choice.tags.map(name);
  if (!isRaw) groups.unshift(`time(${choice.every})`);
  const lines = [
    `SELECT ${columns(choice).join(", ")}`,
    `FROM ${source(choice)} WHERE ${[...timeConditions(range, isRaw), ...conditions(choice.filters)].join(" AND ")}`,
  ];
  let last = groups.length > 0 ? `GROUP BY ${groups.join(", ")}` : "";
  if (!isRaw && choice.fill !== "null") last += ` fill(${choice.fill})`;
  if (isRaw) last += ` LIMIT ${rowLimit}`;
  if (choice.tags.length > 0) last += ` SLIMIT ${seriesLimit}`;
  if (zoneName && !isRaw) last += ` tz('${zoneName}')`;
  return [...lines, last.trim()].join("\n");
}

/** The bucket's length in a statement's `GROUP BY time(…)`, in InfluxQL's words. */
export const bucketIn = (text) => /group\s+by[\s\S]*?\btime\(\s*([0-9a-zµ]+)/i.exec(text)?.[1] ?? null;

export const everyOf = (range, width) => duration(bucketOf(range.end - range.start, Math.max(40, Math.min(400, width / 3))));

/**
 * Whether a text can only read.
 *
 * A link may carry any text, so the rule errs to the safe side: each statement begins with a word that reads, and no word that
 * writes stands anywhere, be it in quotes.
 */
export function isReading(text) {
  if (/\b(alter|create|delete|drop|grant|into|insert|kill|revoke|set)\b/i.test(text)) return false;
  return text.split(";").every((part) => /^\s*(select|show|explain)\b/i.test(part) || part.trim() === "");
}

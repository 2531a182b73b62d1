// What the page asks the server for.

/** The longest answer that the page takes in. */
const answerByteCountMax = 32 << 20;

/** What the server refused, or why it could not be asked. */
class Refusal extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
    const place = /at line (\d+), char (\d+)/.exec(message);
    /** Line and column of the statement that are to blame, from 1. */
    this.place = place ? { line: Number(place[1]), column: Number(place[2]) } : null;
  }
}

/** Whole numbers beyond 2^53 keep their digits. */
function parse(text) {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_, value, context) =>
    Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
      ? BigInt(context.source) : value);
}

async function textOf(response, byteCountMax) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let [text, byteCount] = ["", 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    byteCount += value.byteLength;
    if (byteCount > byteCountMax) {
      await reader.cancel();
      const limit = `${byteCountMax >> 20} MiB`;
      throw new Refusal(`The answer is longer than ${limit}: shorten the range, add LIMIT or GROUP BY time(…).`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** One document of the server, as a text. */
export async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("The server does not answer.");
  }
  const text = await textOf(response, answerByteCountMax);
  if (response.ok) return text;
  let message = text;
  try {
    message = JSON.parse(text).error ?? text;
  } catch {
    // Not JSON: the text is what there is.
  }
  throw new Refusal(message || `${response.status} ${response.statusText}`, response.status);
}

export const askJSON = async (path, options) => parse(await ask(path, options));

/** The results of a text of InfluxQL, times as RFC 3339; throws the first error of a statement. */
export async function askQuery(text, { database = "", policy = "", time = "", isWriting = false, signal } = {}) {
  const parameters = new URLSearchParams({ q: text });
  if (database) parameters.set("db", database);
  if (policy) parameters.set("rp", policy);
  if (time) parameters.set("time", time);
  const { results } = await (isWriting
    ? askJSON("/query", { method: "POST", body: parameters, signal })
    : askJSON("/query?" + parameters, { signal }));
  const failed = results.find((result) => result.error);
  if (failed) throw new Refusal(failed.error, 200);
  return results;
}

/** The values of one column, by its name, of one statement's answer. */
export function column(result, name) {
  return (result?.series ?? []).flatMap(({ columns, values }) => {
    const index = columns.indexOf(name);
    return index < 0 ? [] : values.map((row) => row[index]);
  });
}

// Windows: what they hold, what merging does next, and why they are still here.

import { make, table, visible } from "./dom.js";
import { bytes, count, moment } from "./format.js";

const rowCountMax = 500;
const head = ["database", "policy", "window", "state", "runs", "tables", "rows", "bytes", "in memory", "next", "kept because"];
const millis = (nanoseconds) => Number(nanoseconds) / 1e6;

/** A time without its clock where that is midnight. */
const edge = (nanoseconds, zone) => moment(millis(nanoseconds), zone).replace(" 00:00:00", "");

const key = (window) => JSON.stringify([window.database, window.policy, String(window.start)]);

/** Shows the two reports, joined by window, newest first. */
export function showWindows(root, [compaction, retention], zone) {
  const kept = new Map(retention.windows.map((window) => [key(window), window]));
  const windows = [...compaction.windows].sort((a, b) => Number(b.start) - Number(a.start));
  const rows = windows.slice(0, rowCountMax).map((window) => [
    visible(window.database), visible(window.policy), `${edge(window.start, zone)} – ${edge(window.end, zone)}`,
    window.isClosed ? "closed" : "open",
    count(window.runs), count(window.tables), count(window.rows), bytes(window.bytes), count(window.memoryRows),
    visible(window.outlook) + (window.failureCount > 0 ? ` (failed ${count(window.failureCount)} times)` : ""),
    visible(kept.get(key(window))?.why ?? ""),
  ]);
  const total = `${count(windows.length)} ${windows.length === 1 ? "window" : "windows"}.`;
  const words = [
    windows.length > rows.length ? `The newest ${count(rows.length)} of ${total}` : total,
    `${bytes(compaction.pendingBytes)} to merge, ${count(compaction.jobsDone)} merges since start.`,
    compaction.isPaused ? "Merging is paused." : "",
  ].join(" ");
  root.replaceChildren(make("p", { class: "hint" }, words),
    table("Windows", head, rows, { numeric: new Set([4, 5, 6, 7, 8]), wide: new Set([9, 10]) }));
}

// The last refused lines, each with the byte that is to blame marked.

import { make, table, visible } from "./dom.js";
import { clock, count, date } from "./format.js";

const rowCountMax = 200;
const before = 120;
const after = 240;

/** A line around the byte that parsing stopped at; `column` counts bytes from 1. */
function marked(text, column) {
  const all = new TextEncoder().encode(text);
  const decode = (from, to) => visible(new TextDecoder().decode(all.subarray(Math.max(0, from), Math.max(0, to))));
  const at = Math.min(Math.max(column - 1, 0), all.length);
  let next = at + 1;
  while (next < all.length && (all[next] & 0xc0) === 0x80) next += 1;
  return make("code", null, at > before ? "…" : "", decode(Math.max(0, at - before), at),
    make("mark", null, at < all.length ? decode(at, next) : "⏎"), decode(next, next + after),
    next + after < all.length ? "…" : "");
}

/** Shows refused lines, newest first, in a panel that keeps its search field. */
export class Rejects {
  constructor(root) {
    this.search = make("input", { type: "search", placeholder: "find in lines and reasons",
      "aria-label": "Find in rejected lines", input: () => this.show() });
    this.words = make("span", { class: "hint" });
    this.body = make("div");
    this.entries = [];
    root.append(make("div", { class: "bar" }, this.words, make("span", { class: "gap" }), this.search), this.body);
  }

  take(entries, zone) {
    Object.assign(this, { entries: [...entries].reverse(), zone });
    this.show();
  }

  show() {
    const wanted = this.search.value.toLowerCase();
    const found = this.entries.filter(({ text, reason, listener }) =>
      `${listener}\n${reason}\n${text}`.toLowerCase().includes(wanted));
    const rows = found.slice(0, rowCountMax).map(({ time, listener, line, column, reason, text }) => {
      const at = Number(time) / 1e6;
      return [`${date(at, this.zone)} ${clock(at, this.zone, true)}`, visible(listener), count(line), count(column),
        marked(text, column), visible(reason)];
    });
    this.words.textContent = this.entries.length === 0 ? "No line was refused since the start."
      : `The newest ${count(rows.length)} of ${count(found.length)} refused lines that are kept${wanted ? " and match" : ""}.`;
    const scrolled = this.body.firstElementChild?.scrollTop ?? 0;
    const hadFocus = this.body.contains(document.activeElement);
    const head = ["time", "listener", "line", "column", "text", "reason"];
    this.body.replaceChildren(rows.length === 0 ? ""
      : table("Rejected lines", head, rows, { numeric: new Set([2, 3]), wide: new Set([4, 5]) }));
    if (this.body.firstElementChild) this.body.firstElementChild.scrollTop = scrolled;
    if (hadFocus) this.body.firstElementChild?.focus();
  }
}

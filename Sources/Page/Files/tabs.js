// The panels below the query: rows, plan, windows, rejected lines. One is open, and kept fresh.

import { showPlan } from "./answer.js";
import { askJSON, askQuery } from "./ask.js";
import { find, make } from "./dom.js";
import { Rejects } from "./rejects.js";
import { isReading } from "./statement.js";
import { showWindows } from "./upkeep.js";

const names = ["Table", "Plan", "Windows", "Rejects"];
const period = 4000;

/** `state.tab` is the one that is open; `text()` the statement; `onOpen()` is told of another. */
export class Tabs {
  constructor(state, { text, onOpen }) {
    Object.assign(this, { state, text, onOpen });
    this.isReady = false;
    this.rejects = new Rejects(find("panelRejects"));
    for (const name of names) {
      find("tab" + name).addEventListener("click", () => this.open(name));
      find("tab" + name).addEventListener("keydown", (event) => this.onKey(event, names.indexOf(name)));
    }
    this.show(state.tab);
  }

  /** Opens a tab. */
  open(name) {
    this.show(name);
    this.onOpen();
    clearInterval(this.timer);
    this.fill();
    if (this.state.tab === "Windows" || this.state.tab === "Rejects") {
      this.timer = setInterval(() => { if (!document.hidden) this.fill(); }, period);
    }
  }

  /** Opens a tab and goes there. */
  jump(name) {
    this.open(name);
    find("tab" + name).focus({ preventScroll: true });
    find("tab" + name).scrollIntoView({ block: "start" });
  }

  show(name) {
    this.state.tab = names.includes(name) ? name : "Table";
    for (const each of names) {
      const isOpen = each === this.state.tab;
      find("tab" + each).setAttribute("aria-selected", String(isOpen));
      find("tab" + each).tabIndex = isOpen ? 0 : -1;
      find("panel" + each).hidden = !isOpen;
    }
  }

  onKey(event, index) {
    const moves = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: names.length - 1 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const next = names[(moves[event.key] + names.length) % names.length];
    this.open(next);
    find("tab" + next).focus();
  }

  /** Reads anew what the open tab shows. */
  async fill() {
    if (!this.isReady) return;
    const { tab, zone } = this.state;
    const panel = find("panel" + tab);
    try {
      if (tab === "Plan") await this.explain(panel);
      if (tab === "Windows") {
        showWindows(panel, await Promise.all([askJSON("/stats/compaction"), askJSON("/stats/retention")]), zone);
      }
      if (tab === "Rejects") this.rejects.take((await askJSON("/rejects")).rejects, zone);
    } catch (error) {
      // Lines that were read once stay: the state at the top says that there is no answer.
      if (tab !== "Rejects") panel.replaceChildren(make("p", { class: "fault" }, error.message));
    }
  }

  async explain(panel) {
    const text = this.text();
    if (!/^\s*select\b/i.test(text) || !isReading(text)) {
      return panel.replaceChildren(make("p", { class: "hint" }, "A SELECT can be explained; this statement is none."));
    }
    const { database, view } = this.state;
    const results = await askQuery(`EXPLAIN ANALYZE ${text}`, { database, time: view });
    const rows = results.flatMap((result) => result.series ?? []).flatMap((series) => series.values);
    showPlan(panel, rows.map((row) => String(row[0])));
  }
}

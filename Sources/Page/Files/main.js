// Wires the page: what is picked becomes a statement, its answer a chart and a table; the address follows.

import { askQuery } from "./ask.js";
import { showTable } from "./answer.js";
import { Chart } from "./chart.js";
import { copy, find, make, visible } from "./dom.js";
import { clock, count, moment } from "./format.js";
import { lineCountMax, linesOf } from "./lines.js";
import { fragmentOf, stateOf } from "./link.js";
import { Live } from "./live.js";
import { Pickers } from "./pickers.js";
import { commandText, curlText } from "./shell.js";
import { bucketIn, everyOf, isReading, name, rowLimit, seriesLimit, statementOf } from "./statement.js";
import { Tabs } from "./tabs.js";
import { rangeText, readRange } from "./times.js";

class Page {
  constructor() {
    this.state = stateOf(location.hash);
    this.chart = new Chart(find("chart"), find("legend"),
      { onZoom: (start, end) => this.zoomTo(start, end), say: (text) => { find("said").textContent = text; } });
    this.pickers = new Pickers(this.state, { onChange: () => this.choiceChanged(), onProblem: (text) => this.showFault(text) });
    this.tabs = new Tabs(this.state, { text: () => this.text(), onOpen: () => this.link(false) });
    this.bindRange();
    this.bindStatement();
    find("host").textContent = location.host;
    document.title = `Varve ${location.host}`;
    if (matchMedia("(max-width: 820px)").matches) find("pick").open = false;
    matchMedia("(min-width: 821px)").addEventListener("change", (query) => { if (query.matches) find("pick").open = true; });
    addEventListener("popstate", () => this.restore());
    this.showControls();
    this.tick();
    this.live = new Live(find("live"), find("state"), {
      openTab: (tab) => this.tabs.jump(tab), onReady: () => this.start(), onReading: (reading) => this.countRejects(reading),
    });
  }

  /** Loads what can be picked, and asks the first time. */
  async start() {
    this.tabs.isReady = true;
    try {
      await this.pickers.load();
      await this.makeStatement();
      await this.run({ isUnasked: true, isNewPlace: false });
    } catch (error) {
      this.showFault(error.message);
    }
    this.tabs.open(this.state.tab);
  }

  /** Shows what the address says, after Back or Forward. */
  restore() {
    Object.assign(this.state, stateOf(location.hash));
    this.showControls();
    this.start();
  }

  showControls() {
    const { zone, refresh, range } = this.state;
    document.querySelectorAll("input[name=zone]").forEach((input) => { input.checked = input.value === zone; });
    find("refresh").value = refresh;
    find("range").value = range;
    this.setTimer();
    this.showPreset();
  }

  tick() {
    const now = Date.now();
    find("clock").textContent = clock(now, this.state.zone);
    setTimeout(() => this.tick(), 1000 - (now % 1000));
  }

  // Time

  bindRange() {
    find("presets").addEventListener("click", (event) => {
      if (event.target.dataset.range) this.setRange(event.target.dataset.range);
    });
    find("range").addEventListener("change", () => this.setRange(find("range").value));
    find("zoomOut").addEventListener("click", () => this.chart.zoom(2));
    find("zone").addEventListener("change", (event) => {
      this.state.zone = event.target.value;
      find("clock").textContent = clock(Date.now(), this.state.zone);
      this.choiceChanged();
      this.tabs.fill();
    });
    find("refresh").addEventListener("change", () => {
      this.state.refresh = find("refresh").value;
      this.setTimer();
      this.link(false);
    });
  }

  setTimer() {
    clearInterval(this.timer);
    const seconds = Number(this.state.refresh);
    if (seconds > 0) this.timer = setInterval(() => { if (!document.hidden && !this.running) this.refresh(); }, seconds * 1000);
  }

  async refresh() {
    if (this.state.statement === null && !(await this.makeStatement())) return;
    this.run({ isUnasked: true, isNewPlace: false });
  }

  setRange(text) {
    this.state.range = text;
    this.state.view = "";
    find("range").value = text;
    if (this.checkRange()) this.choiceChanged();
  }

  checkRange() {
    this.showPreset();
    try {
      readRange(this.state.range, Date.now(), this.state.zone);
      find("rangeError").hidden = true;
    } catch (error) {
      find("rangeError").hidden = false;
      find("rangeError").textContent = error.message;
    }
    find("range").setAttribute("aria-invalid", String(!find("rangeError").hidden));
    return find("rangeError").hidden;
  }

  showPreset() {
    for (const button of find("presets").children) {
      button.setAttribute("aria-pressed", String(button.dataset.range === this.state.range.trim()));
    }
  }

  /** The times that are shown now; of `all` those of the first and the last point. */
  async range() {
    const range = readRange(this.state.range, Date.now(), this.state.zone);
    if (!range.isAll) return range;
    const ends = await Promise.all(["first", "last"].map((end) => this.timeOf(end)));
    if (ends.includes(null)) return readRange("-1h", Date.now(), this.state.zone);
    return { start: ends[0], end: ends[1] + 1, since: null };
  }

  /** The time of the first or last point of the first field; `null` where there is none. */
  async timeOf(end) {
    const { database, fields } = this.state;
    if (!fields?.length) return null;
    const [result] = await askQuery(`SELECT ${end}(${name(fields[0])}) FROM ${this.pickers.source()}`, { database });
    const time = result.series?.[0]?.values[0]?.[0];
    return time === undefined ? null : Date.parse(time);
  }

  zoomTo(start, end) {
    const text = rangeText(start, end);
    // A statement of the user's own keeps its conditions; the server narrows it besides.
    if (this.state.statement !== null) {
      this.state.view = text;
      this.run({});
    } else {
      this.setRange(text);
    }
  }

  // The statement

  bindStatement() {
    const area = find("statement");
    area.addEventListener("input", () => {
      this.state.statement = area.value;
      find("edited").hidden = false;
      this.disarm();
      this.fitStatement();
    });
    addEventListener("resize", () => this.fitStatement());
    find("run").addEventListener("click", () => this.run({}));
    find("reset").addEventListener("click", () => {
      this.choiceChanged();
      area.focus();
    });
    addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.run({});
    });
    const copies = {
      copyCommand: () => commandText(this.text(), this.state.database),
      copyCurl: () => curlText(this.text(), this.state.database),
      copyLink: () => location.href,
    };
    for (const [id, text] of Object.entries(copies)) {
      find(id).addEventListener("click", (event) => this.copyFrom(event.target, text()));
    }
  }

  /** Follows a change of a picker: the statement is made anew, and asked. */
  async choiceChanged() {
    Object.assign(this.state, { statement: null, view: "" });
    try {
      if (await this.makeStatement()) await this.run({});
    } catch (error) {
      this.showFault(error.message);
    }
  }

  /** Writes the statement for what is picked; `false` where nothing can be asked. */
  async makeStatement() {
    find("pickSummary").textContent = this.pickers.summary() || "What to show";
    find("edited").hidden = this.state.statement === null;
    if (this.state.statement !== null) {
      find("statement").value = this.state.statement;
      this.fitStatement();
      return true;
    }
    if (!this.checkRange()) return false;
    const choice = this.pickers.choice();
    if (choice.fields.length === 0) {
      find("statement").value = "";
      this.showAnswer([], "", choice.measurement ? "Pick a field." : "This database holds no points yet.");
      return false;
    }
    const range = await this.range();
    const every = choice.every === "auto" ? everyOf(range, find("chart").clientWidth) : choice.every;
    find("every").options[0].textContent = choice.every === "auto" ? `auto (${every})` : "auto";
    const zone = this.state.zone === "utc" ? "" : Intl.DateTimeFormat().resolvedOptions().timeZone;
    find("statement").value = statementOf({ ...choice, every }, range, zone);
    this.fitStatement();
    this.shown = range;
    return true;
  }

  fitStatement() {
    const area = find("statement");
    area.style.height = "auto";
    area.style.height = `${Math.min(320, area.scrollHeight + 2)}px`;
  }

  text() {
    return find("statement").value.trim();
  }

  async copyFrom(button, text) {
    const words = button.textContent;
    try {
      await copy(text);
      button.textContent = "Copied";
    } catch (error) {
      button.textContent = "Not copied";
      this.showFault(`Copy it from here:\n${text}`);
    }
    setTimeout(() => { button.textContent = words; }, 1200);
  }

  // Asking

  /**
   * Asks the server. `isUnasked`: by the page, not by the user: then only what reads is run; `isNewPlace`: Back comes back here.
   */
  async run({ isUnasked = false, isNewPlace = true }) {
    const text = this.text();
    if (!text) return;
    const isWriting = !isReading(text);
    if (isWriting && !this.isArmed(text, isUnasked)) return;
    this.disarm();
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    this.link(isNewPlace);
    find("outcome").textContent = find("outcome").textContent || "Asking …";
    find("chart").setAttribute("aria-busy", "true");
    const started = performance.now();
    try {
      const { database, view } = this.state;
      const results = await askQuery(text, { database, time: view, isWriting, signal: running.signal });
      this.showAnswer(results, text);
      this.showOutcome(results, performance.now() - started);
      if (this.state.tab === "Plan") this.tabs.fill();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.showFault(error.message, error.place);
    }
    if (this.running === running) this.running = null;
    find("chart").removeAttribute("aria-busy");
  }

  /** A statement that changes the store is run when it is asked for twice, and never because a link says so. */
  isArmed(text, isUnasked) {
    if (!isUnasked && this.armed === text) return true;
    this.armed = isUnasked ? null : text;
    find("run").classList.toggle("danger", !isUnasked);
    this.showFault(isUnasked
      ? "This statement may change the store: it is not run from a link. Press Run if you mean it."
      : "This statement may change the store. Press Run again to do it.");
    return false;
  }

  disarm() {
    this.armed = null;
    find("run").classList.remove("danger");
  }

  link(isNewPlace) {
    const address = "#" + fragmentOf(this.state);
    if (address === location.hash) return;
    history[isNewPlace ? "pushState" : "replaceState"](null, "", address);
  }

  // The answer

  showAnswer(results, text, message = "") {
    find("fault").hidden = true;
    this.results = results;
    const { lines, total } = linesOf(results, text);
    this.lineTotal = total;
    const times = this.timesShown(lines);
    const hasRows = results.some((result) => result.series?.length);
    const words = hasRows ? "This answer has no numbers over time: see the table." : "No points in this time.";
    this.chart.show(lines, { ...times, zone: this.state.zone, title: this.title(), message: message || words });
    const link = "/query?" + new URLSearchParams({ db: this.state.database, q: text, format: "csv" });
    if (text) showTable(find("panelTable"), results, this.state.zone, link);
    else find("panelTable").replaceChildren(make("p", { class: "hint" }, message));
  }

  /** What the values of the chart are. */
  title() {
    const { statement, aggregate, fields, measurement, hasBand } = this.state;
    if (statement !== null) return "";
    const columns = `${measurement}: ${(fields ?? []).join(", ")}`;
    if (aggregate === "raw") return visible(columns);
    const band = aggregate === "mean" && hasBand ? ", band from min to max" : "";
    return visible(`${columns}, ${aggregate} every ${bucketIn(this.text())}${band}`);
  }

  /** The times of the axis: those that were picked, or those of the points. */
  timesShown(lines) {
    if (this.state.statement === null && this.shown) return { start: this.shown.start, end: this.shown.end };
    if (this.state.view) return readRange(this.state.view, Date.now(), this.state.zone);
    const ends = lines.filter((line) => line.x.length).flatMap((line) => [line.x[0], line.x.at(-1)]);
    const [start, end] = [Math.min(...ends), Math.max(...ends)];
    return start < end ? { start, end } : { start: (ends[0] ?? 0) - 500, end: (ends[0] ?? 0) + 500 };
  }

  async showOutcome(results, millis) {
    const series = results.flatMap((result) => result.series ?? []);
    const rows = series.reduce((sum, each) => sum + each.values.length, 0);
    const time = millis < 10 ? millis.toFixed(1) : count(millis);
    const words = [`${count(series.length)} series, ${count(rows)} rows in ${time} ms`];
    if (results.some((result) => result.partial)) words.push("partial: some points could not be read");
    if (this.lineTotal > lineCountMax) words.push(`the chart draws ${lineCountMax} of ${count(this.lineTotal)} lines`);
    if (this.state.statement === null) {
      const isCut = this.state.aggregate === "raw" && series.some((each) => each.values.length >= rowLimit);
      if (isCut) words.push(`cut at ${count(rowLimit)} points a series: zoom in, or pick a function`);
      const isNarrow = series.length < seriesLimit || this.state.tags.length === 0;
      if (!isNarrow) words.push(`the first ${seriesLimit} series: narrow it by a tag`);
    }
    words.push(...results.flatMap((result) => (result.messages ?? []).map((each) => each.text)));
    find("outcome").textContent = words.join(" · ");
    if (rows === 0 && this.state.statement === null) await this.offerNewest();
  }

  /** Nothing lies in the range: says where the newest point lies. */
  async offerNewest() {
    const time = await this.timeOf("last");
    if (time === null) return;
    const { start, end } = this.shown;
    const show = () => this.setRange(rangeText(time - (end - start) + 1000, time + 1000));
    find("outcome").append(` · newest point ${moment(time, this.state.zone)} `,
      make("button", { type: "button", class: "inline", click: show }, "Show it"));
  }

  showFault(message, place = null) {
    const fault = find("fault");
    const line = place && this.text().split("\n")[place.line - 1];
    fault.hidden = false;
    fault.textContent = line == null ? message : `${message}\n\n${line}\n${" ".repeat(Math.max(0, place.column - 1))}^`;
    find("outcome").textContent = "";
    const words = "There is no answer: the reason stands below the query.";
    if (!this.results) this.chart.show([], { start: 0, end: 1, zone: this.state.zone, message: words });
  }

  countRejects(reading) {
    const number = reading.sum("ingest_lines_total", { result: "rejected" });
    find("rejectCount").hidden = number === 0;
    find("rejectCount").textContent = count(number);
  }
}

new Page();

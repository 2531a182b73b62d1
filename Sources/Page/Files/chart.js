// The chart: lines over time in SVG, with a cursor for pointer and keys, and zoom by both.

import { draw, make } from "./dom.js";
import { moment, value, zoneName } from "./format.js";
import { figuresOf, lowerBound } from "./lines.js";
import { spanLabel, timeTicks, valueLabel, valueTicks } from "./ticks.js";
import { rounded } from "./times.js";
import { bandPath, linePath, traceOf } from "./trace.js";

const margin = { top: 10, right: 14, bottom: 40 };
const readoutCountMax = 10;
/** Lines up to which each has its band: of more, bands would hide one another. */
const bandCountMax = 8;
const keys = "Left and Right move the cursor, with Shift by ten points; Home, End; Enter marks a place and, at another, "
  + "zooms in between; plus and minus zoom; Page Up and Page Down move in time; Escape takes the cursor away";

/** The class that gives line `index` its colour and its dashes. */
const styleOf = (index) => `c${index % 8} d${Math.floor(index / 8)}`;

export class Chart {
  /** `onZoom(start, end)` is told the times that the user wants to see; `say(text)` what the keyboard's cursor stands on. */
  constructor(root, legend, { onZoom, say }) {
    Object.assign(this, { root, legend, onZoom, say });
    this.lines = [];
    this.hidden = new Set();
    this.surface = make("div",
      { class: "surface", tabindex: 0, role: "application", "aria-label": "Chart", "aria-description": keys });
    this.readout = make("div", { class: "readout", hidden: true });
    root.append(this.surface, this.readout);
    this.surface.addEventListener("keydown", (event) => this.onKey(event));
    this.surface.addEventListener("blur", () => this.clear());
    for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel", "pointerleave"]) {
      this.surface.addEventListener(name, (event) => this.onPointer(event));
    }
    this.surface.addEventListener("dblclick", () => this.zoom(2));
    new ResizeObserver(() => this.draw()).observe(this.surface);
  }

  /** Shows lines between two times, or `message` in their place. */
  show(lines, { start, end, zone, title = "", message = "" }) {
    const names = lines.map((line) => line.label).join("\n");
    if (names !== this.names) this.hidden.clear();
    Object.assign(this, { lines, names, start, end, zone, title, message, mark: null });
    this.times = Float64Array.from(new Set(lines.flatMap((line) => [...line.x]))).sort();
    this.surface.setAttribute("aria-label", lines.length
      ? `Chart of ${lines.length} ${lines.length === 1 ? "line" : "lines"}, ${title}, ${spanLabel(start, end, zone)}`
      : "Chart, empty");
    this.draw();
    this.showLegend();
  }

  // Drawing

  draw() {
    const [width, height] = [this.surface.clientWidth, this.surface.clientHeight];
    this.svg = draw("svg", { width, height, "aria-hidden": "true" });
    this.surface.replaceChildren(this.svg);
    this.cursorLayer = null;
    if (width < 40) return;
    if (this.lines.length === 0) {
      const text = draw("text", { class: "empty", x: width / 2, y: height / 2, "text-anchor": "middle" }, this.message);
      this.svg.append(text);
      return;
    }
    this.scale(width, height);
    this.drawAxes();
    const plot = draw("svg", { x: this.left, y: margin.top, width: this.width, height: this.height, class: "plot" });
    const lines = this.traces.map(({ index, trace }) => {
      const { gap } = this.lines[index];
      return [
        draw("path", { class: "area " + styleOf(index), d: bandPath(trace, gap, this.plotX, this.plotY) }),
        draw("path", { class: "line " + styleOf(index), d: linePath(trace, gap, this.plotX, this.plotY) }),
      ];
    });
    plot.append(...lines.map((pair) => pair[0]), ...lines.map((pair) => pair[1]));
    this.cursorLayer = draw("g", { class: "cursor" });
    plot.append(this.cursorLayer);
    this.svg.append(plot);
    this.drawCursor();
  }

  /** Settles where times and values lie. */
  scale(width, height) {
    this.height = height - margin.top - margin.bottom;
    this.traces = this.lines.map((line, index) => ({ index, trace: traceOf(line, this.start, this.end, width - 60) }))
      .filter(({ index }) => !this.hidden.has(index));
    if (this.traces.length > bandCountMax) for (const { trace } of this.traces) [trace.low, trace.high] = [null, null];
    const [low, high] = this.extent();
    const { ticks, step } = valueTicks(low, high, Math.max(2, this.height / 48));
    const greatest = Math.max(Math.abs(low), Math.abs(high));
    this.valueTicks = ticks.map((tick) => ({ tick, label: valueLabel(tick, step, greatest) }));
    this.left = Math.max(36, 14 + 7 * Math.max(...this.valueTicks.map(({ label }) => label.length)));
    this.width = width - this.left - margin.right;
    this.plotX = (time) => ((time - this.start) / (this.end - this.start)) * this.width;
    this.plotY = (number) => this.height - ((number - low) / (high - low)) * this.height;
  }

  /** The least and the greatest value in view, with room around them; zero where it is near. */
  extent() {
    let [low, high] = [Infinity, -Infinity];
    for (const { trace } of this.traces) {
      for (let index = 0; index < trace.x.length; index += 1) {
        if (trace.x[index] < this.start || trace.x[index] > this.end || Number.isNaN(trace.y[index])) continue;
        low = Math.min(low, trace.low ? trace.low[index] : trace.y[index]);
        high = Math.max(high, trace.high ? trace.high[index] : trace.y[index]);
      }
    }
    if (low > high) return [0, 1];
    if (low === high) return low === 0 ? [-1, 1] : [low - Math.abs(low) * 0.1, high + Math.abs(high) * 0.1];
    if (low >= 0 && low < 0.5 * high) return [0, high * 1.05];
    const room = (high - low) * 0.06;
    return [low - room, high + room];
  }

  drawAxes() {
    const bottom = margin.top + this.height;
    const marks = [];
    for (const { tick, label } of this.valueTicks) {
      const y = Math.round(margin.top + this.plotY(tick)) + 0.5;
      marks.push(draw("path", { class: tick === 0 ? "axis" : "grid", d: `M${this.left} ${y}h${this.width}` }),
        draw("text", { x: this.left - 8, y: y + 4, "text-anchor": "end" }, label));
    }
    const countMax = Math.max(2, Math.floor(this.width / 70));
    for (const { time, label, isMajor } of timeTicks(this.start, this.end, countMax, this.zone)) {
      const x = Math.round(this.left + this.plotX(time)) + 0.5;
      const isAtEdge = x + 4 * label.length > this.left + this.width + margin.right;
      marks.push(draw("path", { class: isMajor ? "axis" : "grid", d: `M${x} ${margin.top}V${bottom + 4}` }),
        draw("text", { class: isMajor ? "major" : null, x: isAtEdge ? this.left + this.width + margin.right - 2 : x,
          y: bottom + 18, "text-anchor": isAtEdge ? "end" : "middle" }, label));
    }
    marks.push(draw("path", { class: "axis", d: `M${this.left} ${bottom + 0.5}h${this.width}` }),
      draw("text", { class: "span", x: this.left + this.width, y: bottom + 35, "text-anchor": "end" },
        `${spanLabel(this.start, this.end, this.zone)} ${zoneName(this.zone)}`));
    if (this.width > 420) marks.push(draw("text", { class: "span", x: this.left, y: bottom + 35 }, this.title));
    this.svg.append(...marks);
  }

  // The legend

  showLegend() {
    if (this.lines.length === 0) return this.legend.replaceChildren();
    const cell = (number) => make("td", { class: "number" }, value(number));
    const rows = this.lines.map((line, index) => {
      const { least, mean, greatest, last } = figuresOf(line, this.start, this.end);
      const toggle = make("button", {
        type: "button", "aria-pressed": String(!this.hidden.has(index)), title: "Shift: this line alone",
        click: (event) => this.toggle(index, event.shiftKey),
      }, this.sample(index), make("span", { class: "name" }, line.label));
      return make("tr", null, make("th", { scope: "row" }, toggle), cell(least), cell(mean), cell(greatest), cell(last));
    });
    const head = ["Line", "min", "mean", "max", "last"].map((name, index) =>
      make("th", { scope: "col", class: index ? "number" : null }, name));
    const [top, body] = [make("thead", null, make("tr", null, head)), make("tbody", null, rows)];
    this.legend.replaceChildren(make("table", null, top, body));
  }

  sample(index) {
    return draw("svg", { class: "sample", viewBox: "0 0 22 8", "aria-hidden": "true" },
      draw("path", { class: "line " + styleOf(index), d: "M1 4h20" }));
  }

  toggle(index, isAlone) {
    if (isAlone) {
      const isOnly = this.hidden.size === this.lines.length - 1 && !this.hidden.has(index);
      this.hidden = new Set(isOnly ? [] : [...this.lines.keys()].filter((each) => each !== index));
    } else if (!this.hidden.delete(index)) {
      this.hidden.add(index);
    }
    this.legend.querySelectorAll("button").forEach((button, each) =>
      button.setAttribute("aria-pressed", String(!this.hidden.has(each))));
    this.draw();
  }

  // The cursor

  /** Puts the cursor on the point nearest to a time. */
  pointAt(time) {
    const after = lowerBound(this.times, time);
    const isBefore = after > 0 && (after === this.times.length || time - this.times[after - 1] < this.times[after] - time);
    this.cursor = this.times[isBefore ? after - 1 : after];
    this.drawCursor();
  }

  clear() {
    [this.cursor, this.mark] = [null, null];
    this.drawCursor();
  }

  /** The lines' values at the cursor: each line's nearest point, where it has one there. */
  valuesAtCursor() {
    const reach = (4 * (this.end - this.start)) / this.width;
    return this.lines.flatMap((line, index) => {
      if (this.hidden.has(index)) return [];
      const after = lowerBound(line.x, this.cursor);
      const at = after > 0 && !(line.x[after] - this.cursor < this.cursor - line.x[after - 1]) ? after - 1 : after;
      if (!(Math.abs(line.x[at] - this.cursor) <= reach) || Number.isNaN(line.y[at])) return [];
      return [{ index, line, at }];
    }).sort((a, b) => b.line.y[b.at] - a.line.y[a.at]);
  }

  drawCursor() {
    if (!this.cursorLayer) return;
    this.cursorLayer.replaceChildren();
    this.readout.hidden = this.cursor == null;
    if (this.mark != null) this.drawSelection();
    if (this.cursor == null) return;
    const found = this.valuesAtCursor();
    const x = this.plotX(this.cursor);
    this.cursorLayer.append(draw("path", { class: "rule", d: `M${Math.round(x) + 0.5} 0v${this.height}` }),
      ...found.map(({ index, line, at }) =>
        draw("circle", { class: "dot " + styleOf(index), cx: this.plotX(line.x[at]), cy: this.plotY(line.y[at]), r: 3.5 })));
    this.showReadout(found, x);
  }

  drawSelection() {
    const ends = [this.mark, this.dragTime ?? this.cursor ?? this.mark].map(this.plotX);
    const [from, to] = ends.sort((a, b) => a - b);
    const width = Math.max(1, to - from);
    this.cursorLayer.append(draw("rect", { class: "selection", x: from, y: 0, width, height: this.height }));
  }

  showReadout(found, x) {
    const rows = found.slice(0, readoutCountMax).map(({ index, line, at }) => {
      const hasBand = line.low && line.low[at] !== line.high[at];
      const band = hasBand ? `${value(line.low[at])} … ${value(line.high[at])}` : null;
      return make("tr", null, make("td", null, this.sample(index)), make("td", { class: "name" }, line.label),
        make("td", { class: "number" }, value(line.y[at])), make("td", { class: "number pale" }, band));
    });
    const rest = found.length > readoutCountMax ? make("p", null, `and ${found.length - readoutCountMax} more`) : null;
    this.readout.replaceChildren(make("p", { class: "at" }, `${moment(this.cursor, this.zone)} ${zoneName(this.zone)}`),
      make("table", null, make("tbody", null, rows)), rest ?? "");
    const isRight = x > this.width / 2;
    this.readout.style.left = isRight ? "auto" : `${this.left + x + 14}px`;
    this.readout.style.right = isRight ? `${this.width - x + margin.right + 14}px` : "auto";
  }

  speak() {
    if (this.cursor == null) return;
    const values = this.valuesAtCursor().slice(0, 6).map(({ line, at }) => `${line.label} ${value(line.y[at])}`);
    this.say(`${moment(this.cursor, this.zone)}: ${values.join(", ") || "no value"}${this.mark == null ? "" : "; marked"}`);
  }

  // Zoom

  /** Shows a stretch `factor` times as long around the cursor, or the middle. */
  zoom(factor) {
    const middle = this.cursor ?? (this.start + this.end) / 2;
    const share = (middle - this.start) / (this.end - this.start);
    const length = (this.end - this.start) * factor;
    this.zoomTo(middle - length * share, middle + length * (1 - share));
  }

  zoomTo(start, end) {
    const [from, to] = rounded(Math.min(start, end), Math.max(start, end));
    this.mark = null;
    if (this.lines.length > 0 && to - from >= 2) this.onZoom(from, to);
    else this.drawCursor();
  }

  // Keys and pointer

  onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || this.lines.length === 0) return;
    const length = this.end - this.start;
    const actions = {
      ArrowLeft: () => this.step(event.shiftKey ? -10 : -1), ArrowRight: () => this.step(event.shiftKey ? 10 : 1),
      Home: () => this.pointAt(this.start), End: () => this.pointAt(this.end),
      Enter: () => this.markOrZoom(), " ": () => this.markOrZoom(), Escape: () => this.clear(),
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
      PageUp: () => this.zoomTo(this.start - length / 2, this.end - length / 2),
      PageDown: () => this.zoomTo(this.start + length / 2, this.end + length / 2),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
    this.speak();
  }

  step(number) {
    if (this.cursor == null) return this.pointAt(number > 0 ? this.start : this.end);
    const index = lowerBound(this.times, this.cursor) + number;
    this.pointAt(this.times[Math.min(Math.max(index, 0), this.times.length - 1)]);
  }

  markOrZoom() {
    if (this.cursor == null) return;
    if (this.mark != null && this.mark !== this.cursor) return this.zoomTo(this.mark, this.cursor);
    this.mark = this.mark == null ? this.cursor : null;
    this.drawCursor();
  }

  onPointer(event) {
    if (this.lines.length === 0 || !this.width) return;
    const x = event.clientX - this.surface.getBoundingClientRect().left - this.left;
    const time = this.start + (Math.min(Math.max(x, 0), this.width) / this.width) * (this.end - this.start);
    switch (event.type) {
      case "pointerdown":
        if (event.button !== 0) return;
        this.drag = { x, time };
        this.surface.setPointerCapture(event.pointerId);
        return this.pointAt(time);
      case "pointermove":
        if (this.drag && Math.abs(x - this.drag.x) > 4) [this.mark, this.dragTime] = [this.drag.time, time];
        return this.pointAt(time);
      case "pointerup": {
        const from = this.mark;
        const isDragged = this.drag && this.dragTime != null && from != null;
        [this.drag, this.dragTime] = [null, null];
        if (isDragged) this.zoomTo(from, time);
        return;
      }
      case "pointercancel":
        [this.drag, this.dragTime, this.mark] = [null, null, null];
        return this.clear();
      default:
        if (!this.drag && !this.surface.matches(":focus-visible")) this.clear();
    }
  }
}

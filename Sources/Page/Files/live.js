// The figures at the top: read every two seconds while the page is seen.

import { ask } from "./ask.js";
import { draw, make, visible } from "./dom.js";
import { bytes, clock, count, short } from "./format.js";
import { Reading, rate } from "./metrics.js";

const period = 2000;
const historyCountMax = 150;
const alarmMillis = 60_000;
const drops = ["udp_kernel_drops_total", "udp_overload_drops_total", "udp_truncated_total"];

const of = (name, labels) => (reading) => reading.sum(name, labels);
const accepted = of("ingest_lines_total", { result: "accepted" });
const rejected = of("ingest_lines_total", { result: "rejected" });
const dropped = (reading) => drops.reduce((sum, name) => sum + reading.sum(name), 0);
const perSecond = (value) => (value === null ? "–" : short(value));
const bytesPerSecond = (value) => (value === null ? "–" : bytes(value)) + "/s";

/** The reason that most lines were refused for. */
function topReason(reading) {
  const sums = new Map();
  for (const { labels, value } of reading.all("ingest_rejects_total")) {
    sums.set(labels.reason, (sums.get(labels.reason) ?? 0) + value);
  }
  const [reason, number] = [...sums].sort((a, b) => b[1] - a[1])[0] ?? ["", 0];
  return number > 0 ? `mostly ${reason}` : "none since start";
}

/** Seconds of a log sync, on average between two readings. */
function syncMillis(now, before) {
  const rise = (name) => now.sum(name) - (before?.sum(name) ?? NaN);
  const [syncs, seconds] = [rise("wal_sync_seconds_count"), rise("wal_sync_seconds_sum")];
  return syncs > 0 ? (seconds / syncs) * 1000 : null;
}

/**
 * What is shown: `figure(now, before)` is drawn over time, `text` and `unit` say it, `notes` stand below; `alarm` colours
 * the tile, and `tab` is where more of it stands.
 */
const tiles = [
  {
    name: "Ingest", unit: "points/s", figure: (now, before) => rate(now, before, accepted), text: perSecond,
    notes: (now, before) => [bytesPerSecond(rate(now, before, of("ingest_bytes_total"))), `${count(accepted(now))} since start`],
  },
  {
    name: "Rejected", unit: "lines/s", figure: (now, before) => rate(now, before, rejected), text: perSecond, tab: "Rejects",
    notes: (now) => [`${count(rejected(now))} since start`, topReason(now)], alarm: (figure) => (figure > 0 ? "warn" : ""),
  },
  {
    name: "Dropped", unit: "/s", figure: (now, before) => rate(now, before, dropped), text: perSecond,
    notes: (now) => [`kernel ${count(now.sum(drops[0]))}`,
      `overload ${count(now.sum(drops[1]))} · cut ${count(now.sum(drops[2]))}`],
    alarm: (figure) => (figure > 0 ? "bad" : ""),
  },
  {
    name: "Windows", unit: "", figure: (now) => now.sum("windows"), text: count, tab: "Windows",
    notes: (now) => [`${count(now.sum("sstables"))} tables`, `most runs in one: ${count(now.max("window_runs_max"))}`],
  },
  {
    name: "Debt", unit: "to merge", figure: (now) => now.sum("compaction_pending_bytes"), text: bytes, tab: "Windows",
    notes: (now, before) => [`merging ${bytesPerSecond(rate(now, before, of("compaction_written_bytes_total")))}`,
      `writers held ${short((rate(now, before, of("stall_seconds_total")) ?? 0) * 100)} %`],
    alarm: (_, now, before) => (rate(now, before, of("stall_seconds_total")) > 0 ? "warn" : ""),
  },
  {
    name: "Disk", unit: "", figure: (now) => now.sum("sstable_bytes") + now.sum("wal_bytes"), text: bytes,
    notes: (now) => [`tables ${bytes(now.sum("sstable_bytes"))}`, `log ${bytes(now.sum("wal_bytes"))}`],
  },
  {
    name: "Memory", unit: "", figure: (now) => now.sum("process_resident_bytes"), text: bytes,
    notes: (now) => [`${bytes(now.sum("memtable_bytes"))} not in tables`, `${count(now.sum("live_series"))} live series`],
  },
  {
    name: "Log sync", unit: "ms", figure: syncMillis, text: perSecond,
    notes: (now, before) => [`${perSecond(rate(now, before, of("wal_syncs_total")))} syncs/s`,
      `${perSecond(rate(now, before, of("query_seconds_count")))} queries/s`],
  },
];

const [sparkWidth, sparkHeight] = [120, 22];

/** The shape of the last minutes; from zero, so that small changes look small. */
function spark(history) {
  const most = Math.max(...history.filter((value) => value !== null), 0) || 1;
  let d = "";
  history.forEach((value, index) => {
    if (value === null) return;
    const x = sparkWidth - ((history.length - 1 - index) / (historyCountMax - 1)) * sparkWidth;
    const isFirst = d === "" || history[index - 1] === null;
    d += `${isFirst ? "M" : "L"}${x.toFixed(1)} ${(sparkHeight - 1 - (value / most) * (sparkHeight - 3)).toFixed(1)}`;
  });
  const box = `0 0 ${sparkWidth} ${sparkHeight}`;
  return draw("svg", { class: "spark", viewBox: box, preserveAspectRatio: "none", "aria-hidden": "true" }, draw("path", { d }));
}

class Tile {
  constructor(kind, openTab) {
    this.kind = kind;
    this.history = [];
    this.value = make("span", { class: "figure" }, "–");
    this.spark = make("span", { class: "sparkPlace" });
    this.notes = make("span", { class: "notes" });
    const inside = [make("span", { class: "name" }, kind.name), make("span", { class: "value" }, this.value,
      kind.unit ? make("span", { class: "unit" }, kind.unit) : null), this.spark, this.notes];
    this.node = kind.tab
      ? make("button", { type: "button", class: "tile", title: "Show more", click: () => openTab(kind.tab) }, inside)
      : make("div", { class: "tile" }, inside);
    this.node.dataset.figure = kind.name.toLowerCase();
  }

  show(now, before) {
    const figure = this.kind.figure(now, before);
    this.history = [...this.history, figure].slice(-historyCountMax);
    this.value.textContent = this.kind.text(figure) ?? "–";
    this.spark.replaceChildren(spark(this.history));
    this.notes.replaceChildren(...this.kind.notes(now, before).map((note) => make("span", null, note)));
    // It stays for a minute, so that what comes now and then does not flicker.
    const alarm = this.kind.alarm?.(figure, now, before) ?? "";
    if (alarm) Object.assign(this, { alarm, alarmUntil: now.time + alarmMillis });
    else if (!(now.time < this.alarmUntil)) this.alarm = "";
    this.node.classList.toggle("warn", this.alarm === "warn");
    this.node.classList.toggle("bad", this.alarm === "bad");
  }
}

/** The words for the state of a server that answers, and their class. */
function stateOf(reading) {
  const refusing = reading.all("degraded").find((sample) => sample.value > 0);
  if (refusing) return [`refuses writes: ${visible(refusing.labels.kind)}`, "bad"];
  const damage = reading.sum("corruptions_total");
  return damage > 0 ? [`ready; damage met ${count(damage)} times: run varve verify`, "warn"] : ["ready", "good"];
}

/** Polls, and shows. */
export class Live {
  /** `onReady()` is called each time the server becomes ready; `onReading(reading)` after each reading. */
  constructor(root, state, { openTab, onReady, onReading }) {
    Object.assign(this, { root, state, onReady, onReading });
    this.tiles = tiles.map((kind) => new Tile(kind, openTab));
    root.append(...this.tiles.map((tile) => tile.node));
    this.isReady = false;
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.poll(); });
    this.poll();
  }

  async poll() {
    clearTimeout(this.timer);
    if (document.hidden || this.isPolling) return;
    this.isPolling = true;
    try {
      await this.readOnce();
      this.root.classList.remove("stale");
    } catch (error) {
      // What is shown was so once.
      this.root.classList.add("stale");
      this.isReady = false;
      this.lostAt ??= Date.now();
      this.say(`no answer since ${clock(this.lostAt, "local")}`, "bad");
      this.before = null;
    }
    this.isPolling = false;
    this.timer = setTimeout(() => this.poll(), period);
  }

  async readOnce() {
    const reading = new Reading(await ask("/metrics"), performance.now());
    this.lostAt = null;
    this.tiles.forEach((tile) => tile.show(reading, this.before));
    this.before = reading;
    this.onReading(reading);
    if (!this.isReady && !(await this.askReady())) return;
    this.say(...stateOf(reading));
    if (!this.isReady) {
      this.isReady = true;
      this.onReady();
    }
  }

  /** Whether the log is replayed; says how far it is. */
  async askReady() {
    const response = await fetch("/ready");
    if (response.ok) return true;
    const { bytes: done, total } = await response.json();
    const share = total > 0 ? ` ${Math.floor((done / total) * 100)} % of ${bytes(total)}` : "";
    this.say(`replays its log:${share || " reading"}`, "warn");
    return false;
  }

  say(words, kind) {
    if (this.state.textContent !== words) this.state.textContent = words;
    this.state.className = `state ${kind}`;
  }
}

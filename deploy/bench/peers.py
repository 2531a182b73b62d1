"""Measures Varve, VictoriaMetrics and InfluxDB in turns, round after round, and prints tables of medians with their spread.

Rows: S M H D F F2 T L (a workload over two TCP connections; InfluxDB: HTTP in batches of 5,000 lines, two clients), real (data sets), udp,
http, wide (questions over the hosts of H), killed, stopped, memory, export. With --results what was measured earlier in other runs is kept in a file and printed too.
"""
import argparse, json, os, platform, statistics, subprocess, sys, time
import rows
from servers import kinds

ROWS = rows.WORKLOADS + ["udp", "http", "memory", "stopped", "export", "wide", "real", "killed"]
TITLES = {
    "udp": "S over UDP, datagrams of 1,400 bytes", "http": "S over HTTP, batches of 5,000 lines, 4 clients", "memory": "S over TCP, Varve alone",
    "stopped": "S settled, start after a clean stop", "export": "S settled, all of it in the own binary form",
    "wide": "H settled, answers for each of 100,000 hosts",
    "killed": "M just taken in, start after `kill -9`"}
# What takes minutes each time is measured in the first round alone.
PEERS = ["victoria-metrics", "influxdb"]
ONCE = {"M": ["influxdb"], "H": ["influxdb"], "udp": PEERS, "stopped": PEERS, "export": PEERS, "wide": PEERS, "killed": PEERS}
# Where less is better.
LESS = ("CPU", "peak", "bytes", "ms", "s until", "p50", "p99", "max")

def measure(bench, row, number):
    """By title of a row, the figures of each store."""
    bench.kinds = [k for k in kinds if number == 0 or k.name not in ONCE.get(row, [])]
    if row in rows.WORKLOADS: return {row: rows.ingest(bench, row)}
    if row == "real":
        if number == 0 and not rows.real_sets(): print("there are no data sets: VARVE_SHARED names none", file=sys.stderr)
        # The bytes are the same each time, or nearly.
        sets = rows.real_sets() if number == 0 else []
        return {"real: " + os.path.basename(p)[:-6]: rows.real(bench, p) for p in sets}
    function = {"udp": rows.datagrams, "http": rows.batches, "memory": rows.small_memory, "stopped": rows.stopped, "export": rows.exports, "wide": rows.wide, "killed": rows.killed}[row]
    return {TITLES[row]: function(bench)}

def machine():
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    memory = next(int(l.split()[1]) for l in open("/proc/meminfo") if l.startswith("MemTotal")) / 2**20
    return "%s, %d CPUs, %.0f GiB, Linux %s" % (model, os.cpu_count(), memory, platform.release())

def version(package):
    text = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], stdout=subprocess.PIPE, check=False).stdout.decode()
    return text or "?"

def cell(values):
    """Median and spread, to three digits."""
    def text(v): return "{:,.0f}".format(float("%.3g" % v)) if v >= 100 else "%.3g" % v
    if len(values) == 1: return text(values[0])
    return "%s (%s–%s)" % tuple(map(text, (statistics.median(values), min(values), max(values))))

def tables(results):
    names = [k.name for k in kinds]
    out, losses = [], []
    def line(title, unit, found):
        """One figure of all stores."""
        medians = {n: statistics.median(v) for n, v in found.items()}
        peers = [m for n, m in medians.items() if n != "varve"]
        less = unit.startswith(LESS)
        factor = ""
        if "varve" in medians and peers:
            best = min(peers) if less else max(peers)
            gain = best / medians["varve"] if less else medians["varve"] / best
            factor = "%.1f" % gain if gain >= 1 else "**%.2f**" % gain
            if gain < 1: losses.append("%s, %s" % (title, unit))
        cells = [cell(found[n]) if n in found else "–" for n in names]
        out.append("| %s | %s | %s | %s |" % (title, unit, " | ".join(cells), factor))
    out.append("| work | unit | %s | ahead of the better peer |" % " | ".join(names))
    out.append("|---" * (len(names) + 3) + "|")
    for title, stores in results.items():
        for unit in dict.fromkeys(u for figures in stores.values() for u in figures):
            line(title, unit, {n: figures[unit] for n, figures in stores.items() if unit in figures})
    out.append("")
    out.append("Rows where Varve loses: %s." % ("; ".join(losses) or "none"))
    return "\n".join(out)

def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("varve", "work"): parser.add_argument("--" + name, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", help="a JSON file that keeps figures from run to run")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="of: %s; all without" % " ".join(ROWS))
    args = parser.parse_args()
    for row in args.rows:
        if row not in ROWS: parser.error("there is no row %s; there are: %s" % (row, " ".join(ROWS)))
    bench = rows.Bench(args.varve, args.work)
    results, fresh = {}, set()
    if args.results and os.path.exists(args.results):
        with open(args.results) as source: results = json.load(source)
    # Rows of one workload stand side by side, so that its file is made once a row and not once a round.
    for row in args.rows or ROWS:
        for number in range(args.rounds):
            started = time.time()
            for title, stores in measure(bench, row, number).items():
                # What is measured now takes the place of what was.
                if title not in fresh: results[title] = {}
                fresh.add(title)
                for store, figures in stores.items():
                    for unit, value in figures.items(): results[title].setdefault(store, {}).setdefault(unit, []).append(value)
                short = {s: {u: float("%.4g" % v) for u, v in f.items()} for s, f in stores.items()}
                print("round %d, %s, %.0f s: %s" % (number + 1, title, time.time() - started, json.dumps(short)), file=sys.stderr)
            if args.results:
                with open(args.results + ".new", "w") as out: json.dump(results, out)
                os.replace(args.results + ".new", args.results)
    bench.forget()
    print("%s. victoria-metrics %s, influxdb %s, as Debian has them. Medians of rounds in turns, and the spread; without one, a single round." % (
        machine(), version("victoria-metrics"), version("influxdb")))
    print("Durable before it is answered: %s.\n" % "; ".join("%s %s" % (k.name, k.durability) for k in kinds))
    print(tables(results))

main()

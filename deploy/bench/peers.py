"""Feeds one file of line protocol to Varve, VictoriaMetrics and InfluxDB in turns and measures what it costs each.

Rate: from the first byte sent until every line is acknowledged as durable (Varve: `# ack`; InfluxDB: 204 for each batch
of 5,000 lines) or counted as taken in (VictoriaMetrics, which has no acknowledgement and no log). CPU: user and system
time of the server process over the run and settling. Disk: the data directory's files after settling.
"""
import argparse, json, statistics, sys, time
from servers import Load, cpu, kinds, peak

parser = argparse.ArgumentParser()
for name in ("varve", "work", "lines"): parser.add_argument("--" + name, required=True)
parser.add_argument("--rounds", type=int, default=3)
args = parser.parse_args()
load = Load(args.work, args.lines)

def once(kind):
    server = kind(args.work, load, args.varve)
    try:
        before = cpu(server.process.pid)
        started = time.time()
        server.ingest()
        elapsed = time.time() - started
        server.settle()
        used = cpu(server.process.pid) - before
        found = server.count()
        if found != load.line_count: sys.exit("%s holds %d of %d points" % (server.name, found, load.line_count))
        return {"lines/s": load.line_count / elapsed, "values/s": load.value_count / elapsed, "CPU-s a million values": used / (load.value_count / 1e6),
                "peak MiB": peak(server.process.pid), "bytes a value": server.bytes() / load.value_count}
    finally:
        server.stop()

results = {k.name: [] for k in kinds}
for round_number in range(args.rounds):
    for kind in kinds:
        results[kind.name].append(once(kind))
        print("round %d %s: %s" % (round_number + 1, kind.name, json.dumps({k: round(v, 3) for k, v in results[kind.name][-1].items()})), file=sys.stderr)

columns = list(results["varve"][0])
print("| store | durable before answered | " + " | ".join(columns) + " |")
print("|---" * (len(columns) + 2) + "|")
durable = {"varve": "yes (group sync)", "victoria-metrics": "no (no log)", "influxdb": "yes"}
for name, rows in results.items():
    cells = []
    for column in columns:
        values = [r[column] for r in rows]
        form = "%.0f" if max(values) >= 100 else "%.3f"
        cells.append((form + " (" + form + "–" + form + ")") % (statistics.median(values), min(values), max(values)))
    print("| %s | %s | %s |" % (name, durable[name], " | ".join(cells)))

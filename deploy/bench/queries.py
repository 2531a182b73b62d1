"""Asks Varve, VictoriaMetrics and InfluxDB the questions of `varve bench query` about workload S in turns, and checks the answers.

Latency: over one HTTP connection that is kept open, until the last byte, the median of each round's 15 runs after one that is not timed; then
the median of the rounds. All three servers run, each alone with its question. The answers are computed a second time from the lines.
"""
import argparse, csv, io, os, statistics, subprocess, sys
from answers import Expected, agrees, equal, parsed
from load import Load
from servers import kinds

parser = argparse.ArgumentParser()
for name in ("varve", "work", "lines"): parser.add_argument("--" + name, required=True)
parser.add_argument("--rounds", type=int, default=5)
args = parser.parse_args()
load = Load(args.work, args.lines)

def ask(server, folder):
    """By question, what `varve bench query` says of it."""
    os.makedirs(folder, exist_ok=True)
    text = subprocess.run(
        [args.varve, "bench", "query", "--server", "http://127.0.0.1:%d" % server.http, "--database", "bench", "--format", "csv",
         "--language", "metricsql" if server.name == "victoria-metrics" else "influxql", "--answers", folder],
        stdout=subprocess.PIPE, check=True).stdout.decode()
    return {row["question"]: row for row in csv.DictReader(io.StringIO(text))}

def median(rounds, question): return statistics.median(float(r[question]["p50_ms"]) for r in rounds)

servers = []
try:
    for kind in kinds:
        servers.append(kind(args.work, load, args.varve))
        servers[-1].ingest()
        servers[-1].settle()
    rounds = {s.name: [] for s in servers}
    for number in range(args.rounds):
        for server in servers:
            rounds[server.name].append(ask(server, os.path.join(args.work, "answers-" + server.name)))
            print("round %d %s" % (number + 1, server.name), file=sys.stderr)
finally:
    for server in servers: server.stop()

expected = Expected(args.lines)
names = [s.name for s in servers]
print("| question | rows | " + " | ".join(n + " ms (worst)" for n in names) + " | better peer ÷ varve | answers right |")
print("|---" * (len(names) + 4) + "|")
is_wrong, losses = False, []
for question in rounds["varve"][0]:
    right = []
    for name in names:
        text = open(os.path.join(args.work, "answers-" + name, question), "rb").read()
        want = expected.answer(question)
        right.append(agrees(question, want, text) if name == "victoria-metrics" else equal(want, parsed(question, text)))
    is_wrong = is_wrong or not right[0]
    medians = [median(rounds[n], question) for n in names]
    worst = [max(float(r[question]["max_ms"]) for r in rounds[n]) for n in names]
    if medians[0] > min(medians[1:]): losses.append(question)
    print("| %s | %s | %s | %.1f | %s |" % (
        question, rounds["varve"][0][question]["rows"], " | ".join("%.3g (%.3g)" % pair for pair in zip(medians, worst)),
        min(medians[1:]) / medians[0], "all" if all(right) else "not " + ", ".join(n for n, r in zip(names, right) if not r)))
print("\nRows where Varve loses: %s." % (", ".join(losses) or "none"))
if is_wrong: sys.exit(1)

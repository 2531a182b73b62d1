#!/usr/bin/env python3
"""How costs grow: a table and a chart for each.

    growth.py VARVE OUT [NAME...] [--scale N]

Ingest (CPU-ns of the server a value, over two TCP connections, flush and merges to the end included) against series (new ones; and the same
points once more until they are acknowledged, when the series are known), tags a line, fields a line, and lateness: ten million values each time, and
ten a series at least; a merge (CPU-ns a value) of four runs whose times alternate, against what they hold; a statement (ms, median of 15 over a kept connection) against its range, the series that it reads, windows, and sorted runs; a start (ms until
ready) against what is in tables, and against what is in the log after `kill -9`. --scale 10 takes a tenth of all lines.

OUT/growth.md is the table, OUT/NAME.svg a chart by `varve query --plot`. The plotter's axis is one of time: a second stands for a step of the
table's first column.
"""
import argparse, http.client, json, os, random, signal, statistics, subprocess, sys, tempfile, time, urllib.parse
from load import Load
from servers import Varve, cpu, wait_for

START, DAY = 1451606400, 86_400

def threads_cpu(pid):
    """Nanoseconds of the threads that are there: finer than a process's clock ticks, for what takes milliseconds on threads that stay."""
    folder = "/proc/%d/task" % pid
    return sum(int(open("%s/%s/schedstat" % (folder, thread)).read().split()[0]) for thread in os.listdir(folder))

class Growth:
    def __init__(self, varve, out, work, scale):
        self.varve, self.out, self.work, self.scale = varve, out, work, scale
        self.rows = []

    def lines(self, path, line_count, series=100, tags=3, fields=10, late=0.0, step=10):
        """Lines in rounds over all series; a share of them late by up to a day. The same for the same arguments."""
        draw = random.Random(1)
        more = "".join(",t%d=value-%d" % (t, t) for t in range(1, tags))
        heads = ["m,host=h%d%s " % (s, more) for s in range(series)]
        bodies = [",".join("f%d=%di" % (f, draw.randrange(100)) for f in range(fields)) for _ in range(64)]
        with open(path, "w") as out:
            for number in range(line_count):
                moment = START + DAY + number // series * step
                if late and draw.random() < late: moment -= draw.randrange(1, DAY)
                out.write("%s%s %d\n" % (heads[number % series], bodies[draw.randrange(64)], moment * 10**9 + number % series))
        return Load(self.work, path)

    def note(self, name, x, value, unit):
        self.rows.append((name, x, unit, value))
        print("%s %s: %.4g %s" % (name, x, value, unit), file=sys.stderr)

    def server(self, load, *flags): return Varve(self.work, load, self.varve, flags)

    # MARK: Ingest

    def ingest(self, name, x, **shape):
        values = 10_000_000 // self.scale
        load = self.lines(os.path.join(self.work, "g.lp"), max(values // shape.get("fields", 10), shape.get("series", 1)), **shape)
        # The host is a tag of as many values as there are series.
        server = self.server(load, "--tag-values-limit", "0")
        try:
            def measure(kind, unit, work):
                before = cpu(server.process.pid)
                work()
                self.note(kind, x, (cpu(server.process.pid) - before) * 1e9 / load.value_count, unit)
            def ingest_and_settle():
                server.ingest()
                server.settle()
            measure(name, "CPU-ns a value", ingest_and_settle)
            if name == "ingest_series": measure(name + "_known", "CPU-ns a value until acknowledged", server.ingest)
        finally:
            server.stop(); server.remove()

    def ingest_series(self):
        for series in 1_000, 10_000, 100_000, 1_000_000, 10_000_000:
            series = max(series // self.scale, 1)
            self.ingest("ingest_series", "{:,} series".format(series), series=series)
    def ingest_tags(self):
        for tags in 1, 5, 10, 20: self.ingest("ingest_tags", "%d tags" % tags, tags=tags)
    def ingest_fields(self):
        for fields in 1, 3, 10, 30, 100: self.ingest("ingest_fields", "%d fields" % fields, fields=fields)
    def ingest_late(self):
        for late in 0, 0.05, 0.2, 0.5: self.ingest("ingest_late", "%g %% late" % (late * 100), late=late)

    # MARK: Runs

    def runs(self, load, count):
        """A server that holds `count` runs, each of which reaches over all times, so that all must be joined. Nothing is merged; what a
        start finds in memory went to tables with the stop before: a run each."""
        lines = open(load.lines, "rb").readlines()
        server = self.server(load, "--compaction-policy", "none")
        for part in range(count):
            path = os.path.join(self.work, "part.lp")
            with open(path, "wb") as out:
                for start in range(part * 100, len(lines), count * 100): out.writelines(lines[start:start + 100])
            server.load = Load(self.work, path)
            server.ingest()
            server.stop()
            if part == count - 1: server.flags = []
            server.again()
            wait_for(server.is_ready)
        return server

    def merge(self):
        full = 8_000_000 // self.scale
        for share in 8, 4, 2, 1:
            load = self.lines(os.path.join(self.work, "g.lp"), full // share // 10)
            server = self.runs(load, 4)
            try:
                before = threads_cpu(server.process.pid)
                server.settle()
                spent = threads_cpu(server.process.pid) - before
                self.note("merge", "{:,} values".format(load.value_count), spent / load.value_count, "CPU-ns a value")
            finally:
                server.stop(); server.remove()

    # MARK: Statements

    def workload(self):
        path = os.path.join(self.work, "S.lp")
        if not os.path.exists(path):
            with open(path, "w") as out:
                made = subprocess.Popen([self.varve, "bench", "generate", "S"], stdout=subprocess.PIPE)
                for _ in range(864_000 // self.scale): out.write(made.stdout.readline().decode())
                made.stdout.close(); made.wait()
        return Load(self.work, path)

    def ask(self, server, text):
        connection, times = http.client.HTTPConnection("127.0.0.1", server.http), []
        for number in range(16):
            started = time.perf_counter()
            connection.request("POST", "/query", urllib.parse.urlencode({"db": "bench", "q": text}), {"Content-Type": "application/x-www-form-urlencoded"})
            body = connection.getresponse().read()
            if number: times.append(time.perf_counter() - started)
            if "error" in json.loads(body)["results"][0]: sys.exit("%s: %s" % (text, body))
        return statistics.median(times) * 1e3

    def settled(self, *flags):
        server = self.server(self.workload(), *flags)
        server.ingest()
        server.settle()
        return server

    def query_range(self):
        server = self.settled()
        hours = 24 / self.scale
        try:
            for share in 1, 2, 4, 8, 16, 24:
                end = START + int(hours * 3600 * share / 24)
                text = "SELECT mean(usage_user) FROM cpu WHERE time >= %ds AND time < %ds GROUP BY hostname" % (START, end)
                self.note("query_range", "%g h" % (hours * share / 24), self.ask(server, text), "ms")
        finally:
            server.stop(); server.remove()

    def query_series(self):
        server = self.settled()
        try:
            for count in 1, 10, 25, 50, 100:
                # The hosts below a number, by their digits.
                names = "|".join("host_%d" % h for h in range(count))
                text = "SELECT mean(usage_user) FROM cpu WHERE hostname =~ /^(%s)$/ AND time >= %ds AND time < %ds" % (names, START, START + DAY)
                self.note("query_series", "%d series" % count, self.ask(server, text), "ms")
        finally:
            server.stop(); server.remove()

    def query_windows(self):
        for length, count in ("24h", 1), ("6h", 4), ("3h", 8), ("1h", 24):
            server = self.settled("--window", length)
            try:
                text = "SELECT mean(usage_user) FROM cpu WHERE time >= %ds AND time < %ds GROUP BY hostname" % (START, START + DAY)
                self.note("query_windows", "%d windows" % count, self.ask(server, text), "ms")
            finally:
                server.stop(); server.remove()

    def query_runs(self):
        for count in 1, 2, 4, 8:
            server = self.runs(self.workload(), count)
            try:
                # By the hour, so that a single run cannot answer from statistics either.
                text = "SELECT mean(usage_user) FROM cpu WHERE time >= %ds AND time < %ds GROUP BY time(1h), hostname" % (START, START + DAY)
                self.note("query_runs", "%d runs" % count, self.ask(server, text), "ms")
            finally:
                server.stop(); server.remove()

    # MARK: Starts

    def start(self, name, sign):
        full = 8_000_000 // self.scale
        for share in 8, 4, 2, 1:
            load = self.lines(os.path.join(self.work, "g.lp"), full // share // 10)
            server = self.server(load)
            try:
                server.ingest()
                if sign == signal.SIGTERM: server.settle()
                times = []
                for _ in range(5):
                    server.stop(sign)
                    started = time.time()
                    server.again()
                    if not wait_for(lambda: server.count() == load.line_counts, 60, 0.0005): sys.exit("a start lost points")
                    times.append(time.time() - started)
                self.note(name, "{:,} values".format(load.value_count), statistics.median(times) * 1e3, "ms until complete")
            finally:
                server.stop(); server.remove()

    def start_tables(self): self.start("start_tables", signal.SIGTERM)
    def start_log(self): self.start("start_log", signal.SIGKILL)

    # MARK: What is written

    def finish(self):
        os.makedirs(self.out, exist_ok=True)
        with open(os.path.join(self.out, "growth.md"), "w") as out:
            out.write("| what | against | cost | to the first |\n|---|---|---|---|\n")
            for name, x, unit, value in self.rows:
                first = next(r[3] for r in self.rows if r[0] == name)
                out.write("| %s | %s | %.3g %s | %.2f |\n" % (name, x, value, unit, value / first))
        for name in dict.fromkeys(r[0] for r in self.rows):
            rows = [r for r in self.rows if r[0] == name]
            path, label = os.path.join(self.work, "chart.lp"), "%s: %s" % (rows[0][2], ", ".join(r[1] for r in rows))
            with open(path, "w") as out:
                for step, row in enumerate(rows): out.write("%s cost=%r %d\n" % (name, row[3], step * 10**9))
            subprocess.run(
                [self.varve, "query", "--from", path, "--plot", os.path.join(self.out, name + ".svg"),
                 'SELECT cost AS "%s" FROM %s' % (label, name)],
                stdout=subprocess.DEVNULL, check=True)

NAMES = ["ingest_series", "ingest_tags", "ingest_fields", "ingest_late", "merge", "query_range", "query_series", "query_windows", "query_runs",
         "start_tables", "start_log"]

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("varve")
    parser.add_argument("out")
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of: %s; all without" % " ".join(NAMES))
    args = parser.parse_args()
    for name in args.names:
        if name not in NAMES: parser.error("there is no %s; there are: %s" % (name, " ".join(NAMES)))
    with tempfile.TemporaryDirectory(prefix="varve-growth.") as work:
        growth = Growth(os.path.abspath(args.varve), args.out, work, args.scale)
        for name in args.names or NAMES: getattr(growth, name)()
        growth.finish()
    print(open(os.path.join(args.out, "growth.md")).read(), end="")

main()

"""What is measured: each function takes what it needs from a `Bench` and gives, by store, the figures of one round."""
import csv, glob, gzip, http.client, io, json, os, shutil, signal, statistics, subprocess, sys, time, urllib.parse
from load import Load
from servers import Influx, Varve, Victoria, cpu, kinds, peak, wait_for

# With H Varve is held to the memory that its mark names.
FLAGS = {"H": {"varve": ["--memory", "512MiB"]}}
WORKLOADS = ["S", "M", "H", "D", "F", "F2", "T", "L"]
START = 1451606400
COLD_STATEMENT = "SELECT max(usage_user) FROM cpu WHERE hostname = 'host_42' AND time >= '2016-01-01' GROUP BY time(1h) fill(none)"

class Bench:
    """The binary, the folder for work, and the files of workloads, each made once and kept while it is in use."""
    def __init__(self, varve, work, kinds=kinds):
        self.varve, self.work, self.kinds = varve, work, kinds
        self.name = self.load = None

    def workload(self, name):
        if self.name != name:
            self.forget()
            path = os.path.join(self.work, name + ".lp")
            subprocess.run([self.varve, "bench", "generate", name, "--output", path], check=True)
            self.use(name, path)
        return self.load

    def use(self, name, path):
        self.name, self.load = name, Load(self.work, path)

    def forget(self):
        if self.load:
            self.load.remove_halves()
            os.remove(self.load.lines)
        self.name = self.load = None

    def start(self, kind, flags=()): return kind(self.work, self.load, self.varve, flags)

    def send(self, server, *flags):
        """What `varve bench ingest` says of sending."""
        text = subprocess.run(
            [self.varve, "bench", "ingest", "--server", server.url, "--database", "bench", "--format", "csv", *map(str, flags)],
            stdout=subprocess.PIPE, check=True).stdout.decode()
        return next(csv.DictReader(io.StringIO(text)))

def check(server, load):
    found = server.count()
    if found != load.line_counts: sys.exit("%s holds %s of %s points" % (server.name, found, load.line_counts))

def ending(server):
    server.stop()
    server.remove()

# MARK: Over TCP

def ingest(bench, name):
    """From the first byte sent until every line is acknowledged as durable (Varve: `# ack`; InfluxDB: 204 for each batch of 5,000 lines) or
    counted as taken in (VictoriaMetrics has no acknowledgement and no log). CPU and peak: of the process, over the run and settling."""
    load, found = bench.workload(name), {}
    for kind in bench.kinds:
        server = bench.start(kind, FLAGS.get(name, {}).get(kind.name, ()))
        try:
            before, started = cpu(server.process.pid), time.time()
            server.ingest()
            elapsed = time.time() - started
            server.settle()
            used = cpu(server.process.pid) - before
            highest = peak(server.process.pid)
            check(server, load)
            found[kind.name] = {
                "lines/s": load.line_count / elapsed, "values/s": load.value_count / elapsed,
                "CPU-s a million values": used / (load.value_count / 1e6), "peak MiB": highest,
                "bytes a value": server.bytes() / load.value_count}
            if kind is Varve: found[kind.name]["bytes written to tables ÷ bytes of tables"] = server.written() / server.bytes()
        finally:
            ending(server)
    return found

def real(bench, path):
    """Bytes a value of a data set that stands somewhere as `NAME.lp.gz`. A point sent twice counts twice in what is divided by."""
    plain = os.path.join(bench.work, "real.lp")
    bench.forget()
    with gzip.open(path) as source, open(plain, "wb") as out: shutil.copyfileobj(source, out)
    bench.use(path, plain)
    found, counts = {}, {}
    for kind in bench.kinds:
        server = bench.start(kind)
        try:
            server.ingest()
            server.settle()
            counts[kind.name] = server.count()
            found[kind.name] = {"bytes a value": server.bytes() / bench.load.value_count}
        finally:
            ending(server)
    # VictoriaMetrics keeps a point that comes twice twice.
    agreed = [counts[k.name] for k in (Varve, Influx) if k.name in counts]
    if any(c != agreed[0] for c in agreed): sys.exit("%s: the stores count %s" % (path, counts))
    bench.forget()
    return found

def real_sets():
    shared = os.environ.get("VARVE_SHARED") or os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared")
    return sorted(glob.glob(os.path.join(shared, "datasets", "*.lp.gz")))

# MARK: Over UDP and HTTP

def datagrams(bench, seconds=1.5, low=10_000, high=1_500_000):
    """The highest rate at which no line of S is lost, to a twentieth: lines in datagrams of up to 1,400 bytes, sent for some 1.5 s."""
    load, found = bench.workload("S"), {}
    with open(load.lines, "rb") as source: lines = source.readlines()
    part = os.path.join(bench.work, "part.lp")
    for kind in bench.kinds:
        server = bench.start(kind)
        try:
            def holds(rate):
                count = min(int(rate * seconds), len(lines))
                with open(part, "wb") as out: out.writelines(lines[:count])
                before = server.taken()
                sent = bench.send(server, "--to", "udp", "--udp", "127.0.0.1:%d" % server.udp, "--file", part, "--rate", int(rate))
                whole = wait_for(lambda: server.taken() - before >= count, 3)
                # A sender that does not keep up proves nothing.
                return whole and count / float(sent["send_seconds"]) > 0.9 * rate
            bottom, top = low, high
            if not holds(bottom):
                print("%s loses lines at %d lines/s" % (server.name, bottom), file=sys.stderr)
                continue
            while top / bottom > 1.05:
                middle = (top * bottom) ** 0.5
                # Twice: a rate that only sometimes holds does not hold.
                if holds(middle) and holds(middle): bottom = middle
                else: top = middle
            found[kind.name] = {"lines/s without loss": bottom}
        finally:
            ending(server)
    os.remove(part)
    return found

def batches(bench):
    """S by HTTP in batches of 5,000 lines from four clients; milliseconds from request to answer."""
    load, found = bench.workload("S"), {}
    for kind in bench.kinds:
        server = bench.start(kind)
        try:
            row = bench.send(server, "--to", "http", "--connections", 4, "--batch", 5000, "--file", load.lines)
            if int(row["accepted"]) != load.line_count: sys.exit("%s accepted %s lines" % (server.name, row["accepted"]))
            if not wait_for(lambda: server.count() == load.line_counts): check(server, load)
            found[kind.name] = {"lines/s": float(row["lines_per_second"]), "p50 ms": float(row["batch_p50_ms"]),
                                "p99 ms": float(row["batch_p99_ms"]), "max ms": float(row["batch_max_ms"])}
        finally:
            ending(server)
    return found

# MARK: Starts

def complete(server, load, seconds=60):
    """Seconds from the start of a process until it answers that all is there; beside it the share that it answers in the end."""
    found = [{}]
    def is_complete():
        found[0] = server.count()
        return found[0] == load.line_counts
    started = time.time()
    server.again()
    whole = wait_for(is_complete, seconds, 0.001)
    return time.time() - started, 1 if whole else sum(found[0].values()) / load.line_count

def killed(bench):
    """M just taken in, `kill -9`, and a start: seconds until a count of all points is complete."""
    load, found = bench.workload("M"), {}
    for kind in bench.kinds:
        server = bench.start(kind)
        try:
            server.ingest()
            server.stop(signal.SIGKILL)
            # Only one that has no log may lack points for good: it is asked for 5 s.
            elapsed, share = complete(server, load, 5 if kind is Victoria else 60)
            if share < 1 and kind is Varve: sys.exit("varve lost acknowledged points: it holds %f of them" % share)
            found[kind.name] = {"s until complete": elapsed} if share == 1 else {"share of points left": share}
        finally:
            ending(server)
    return found

def stopped(bench):
    """S settled, a clean stop, and a start: milliseconds until ready, and until a count is complete; and a statement of a cold process."""
    load, found = bench.workload("S"), {}
    for kind in bench.kinds:
        server = bench.start(kind)
        try:
            server.ingest()
            server.settle()
            server.stop()
            started = time.time()
            server.again()
            wait_for(server.is_ready, 60, 0.0005)
            ready = time.time() - started
            server.stop()
            elapsed, share = complete(server, load)
            if share < 1: sys.exit("%s holds %f of S after a stop" % (server.name, share))
            found[kind.name] = {"ms until ready": ready * 1e3, "ms until complete": elapsed * 1e3}
            server.stop()
            if kind is Varve: found[kind.name]["ms of varve query --data"] = cold(bench, server.data)
        finally:
            ending(server)
    return found

def cold(bench, data):
    """Milliseconds of a process that answers a statement from a closed directory; the median of 15."""
    times, hours = [], (bench.load.last // 10**9 - START) // 3600 + 1
    for _ in range(15):
        started = time.time()
        text = subprocess.run([bench.varve, "query", "--data", data, "--database", "bench", "--format", "csv", COLD_STATEMENT],
                              stdout=subprocess.PIPE, check=True).stdout
        times.append(time.time() - started)
        if text.count(b"\n") != hours + 1: sys.exit("a cold statement answered %r" % text)
    return statistics.median(times) * 1e3

def exports(bench):
    """S settled, all of it in the store's own binary form over one kept connection: milliseconds, the median of 15. Varve's is taken into an
    empty directory, whose points are counted."""
    load, found = bench.workload("S"), {}
    for kind in bench.kinds:
        if kind is Influx: continue
        server = bench.start(kind)
        try:
            server.ingest()
            server.settle()
            connection, times = http.client.HTTPConnection("127.0.0.1", server.http), []
            for _ in range(16):
                started = time.time()
                connection.request("GET", server.own_form)
                body = connection.getresponse().read()
                times.append(time.time() - started)
            found[kind.name] = {"ms": statistics.median(times[1:]) * 1e3, "bytes a value": len(body) / load.value_count}
            if kind is Varve: reimport(bench, body)
        finally:
            ending(server)
    return found

def reimport(bench, body):
    """Fails unless an export in Varve's own form brings every point back."""
    tar, data = os.path.join(bench.work, "own.tar"), os.path.join(bench.work, "own")
    with open(tar, "wb") as out: out.write(body)
    subprocess.run([bench.varve, "import", "--data", data, "--database", "bench", tar], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for measurement, field in bench.load.fields.items():
        statement = 'SELECT count("%s") FROM "%s"' % (field, measurement)
        text = subprocess.run([bench.varve, "query", "--data", data, "--database", "bench", "--format", "csv", statement],
                              stdout=subprocess.PIPE, check=True).stdout.decode()
        if text.split(",")[-1].strip() != str(bench.load.line_counts[measurement]): sys.exit("of %s there came back %r" % (measurement, text))
    os.remove(tar)
    shutil.rmtree(data)

# Questions over H, which begins at START and has a line of each host a minute: in InfluxQL, and in MetricsQL with the second to ask at.
WIDE = {
    "maximum of a minute by host": (
        "SELECT max(usage_user) FROM cpu WHERE time >= %ds AND time < %ds GROUP BY hostname" % (START + 300, START + 360),
        "max by (hostname) (max_over_time(cpu_usage_user[1m]))", START + 359),
    "last value by host": (
        "SELECT last(usage_user) FROM cpu GROUP BY hostname", "max by (hostname) (last_over_time(cpu_usage_user[1h]))", START + 600),
    "mean and maximum of two fields by host": (
        "SELECT mean(usage_user), max(usage_system) FROM cpu GROUP BY hostname", None, 0),
    "last row of each host": ("SELECT * FROM cpu GROUP BY hostname ORDER BY time DESC LIMIT 1", None, 0),
}

def wide(bench):
    """H settled, questions that answer for each of its 100,000 hosts over one kept connection: milliseconds, the median of five after one."""
    load, found, answers = bench.workload("H"), {}, {}
    for kind in bench.kinds:
        server = bench.start(kind)
        try:
            server.ingest()
            server.settle()
            connection, found[kind.name] = http.client.HTTPConnection("127.0.0.1", server.http), {}
            for name, (text, other, moment) in WIDE.items():
                if kind is Victoria and other is None: continue
                target = "/query?" + urllib.parse.urlencode({"db": "bench", "epoch": "ns", "q": text})
                if kind is Victoria: target = "/api/v1/query?" + urllib.parse.urlencode({"query": other, "time": moment, "nocache": 1})
                times = []
                for _ in range(6):
                    started = time.time()
                    connection.request("GET", target)
                    body = connection.getresponse().read()
                    times.append(time.time() - started)
                found[kind.name]["ms, " + name] = statistics.median(times[1:]) * 1e3
                said = by_host(json.loads(body), kind)
                if len(said) != 100_000: sys.exit("%s: %s: %d hosts, %r" % (kind.name, name, len(said), body[:200]))
                if answers.setdefault(name, said) != said: sys.exit("%s: %s: another answer than before" % (kind.name, name))
        finally:
            ending(server)
    return found

def by_host(answer, kind):
    """By host, the numbers that an answer has for it."""
    if kind is Victoria: return {r["metric"]["hostname"]: [round(float(r["value"][1]), 9)] for r in answer["data"]["result"]}
    return {s["tags"]["hostname"]: [round(v, 9) for v in s["values"][0][1:] if not isinstance(v, str)] for s in answer["results"][0]["series"]}

def small_memory(bench):
    """S over TCP by Varve with `--memory 128MiB` and with what is usual: peak resident memory and rate."""
    load, found = bench.workload("S"), {"varve": {}}
    for name, flags in ("with 128MiB", ["--memory", "128MiB"]), ("as usual", []):
        server = bench.start(Varve, flags)
        try:
            started = time.time()
            server.ingest()
            found["varve"]["lines/s " + name] = load.line_count / (time.time() - started)
            found["varve"]["peak MiB " + name] = peak(server.process.pid)
        finally:
            ending(server)
    return found

"""The answers to the questions of `varve bench query`, computed from the lines of workload S alone, and compared with those of servers."""
import json, os, re
import numpy

FIELDS = ["usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq", "usage_softirq",
          "usage_steal", "usage_guest", "usage_guest_nice"]
START, STEP, EIGHT = 1451606400, 10, [3, 11, 27, 42, 58, 63, 77, 94]

class Expected:
    def __init__(self, lines):
        hosts, values, self.tags, last = {}, [], [], 0
        with open(lines) as source:
            for line in source:
                key, fields, time = line.rsplit(" ", 2)
                if key not in hosts:
                    hosts[key] = len(hosts)
                    self.tags.append(dict(pair.split("=") for pair in key.split(",")[1:]))
                values.append([int(v) for v in re.findall(r"=(\d+)i", fields)])
        self.names = [t["hostname"] for t in self.tags]
        # By moment, host and field: lines come tick by tick, host by host.
        self.data = numpy.array(values).reshape(-1, len(hosts), len(FIELDS))

    def part(self, start, end, hosts=None):
        found = self.data[self.tick(start):self.tick(end)]
        return found if hosts is None else found[:, [self.names.index("host_%d" % h) for h in hosts]]

    def tick(self, time):
        hours, minutes = time.split(":")
        return (int(hours) * 3600 + int(minutes) * 60) // STEP

    def maxima(self, start, end, step, hosts, count):
        part = self.part(start, end, hosts)[:, :, :count]
        table = part.reshape(-1, step // STEP * part.shape[1], count).max(axis=1)
        first = START + self.tick(start) * STEP
        return {(): [(first + i * step, *map(float, row)) for i, row in enumerate(table)]}

    def means(self, count):
        part = self.part("06:00", "18:00")[:, :, :count]
        table = part.reshape(12, 360, part.shape[1], count).mean(axis=1)
        return {(name,): [(START + (6 + h) * 3600, *map(float, table[h, i])) for h in range(12)] for i, name in enumerate(self.names)}

    def rows(self, chosen, grouped=False):
        """Rows of (time, fields and tags in the order of their names) at (tick, host)."""
        columns = sorted(FIELDS + [k for k in self.tags[0] if not (grouped and k == "hostname")])
        out = {}
        for tick, host in chosen:
            row = [self.tags[host][c] if c in self.tags[host] else float(self.data[tick, host, FIELDS.index(c)]) for c in columns]
            out.setdefault((self.names[host],) if grouped else (), []).append((START + int(tick) * STEP, *row))
        return out

    def high(self, hosts):
        first = self.tick("06:00")
        part = self.part("06:00", "18:00")[:, :, 0]
        return self.rows((t + first, h) for t, h in numpy.argwhere(part > 90) if hosts is None or self.names[h] in hosts)

    def answer(self, question):
        if question.startswith("single-groupby"):
            _, _, count, hosts, hours = question.split("-")
            start, end = ("08:00", "09:00") if hours == "1" else ("06:00", "18:00")
            return self.maxima(start, end, 60, [42] if hosts == "1" else EIGHT, int(count))
        if question.startswith("cpu-max-all"):
            return self.maxima("04:00", "12:00", 3600, [42] if question.endswith("1") else EIGHT, 10)
        if question.startswith("double-groupby"):
            return self.means({"1": 1, "5": 5, "all": 10}[question.rsplit("-", 1)[1]])
        if question == "high-cpu-1": return self.high(["host_24"])
        if question == "high-cpu-all": return self.high(None)
        if question == "high-cpu-all-1":
            place = 1 + sorted(FIELDS + list(self.tags[0])).index("usage_user")
            return {key: [(row[0], row[place]) for row in rows] for key, rows in self.high(None).items()}
        if question == "groupby-orderby-limit":
            return {(): self.maxima("08:30", "08:35", 60, None, 1)[()][::-1]}
        ticks, hosts = self.data.shape[0], len(self.names)
        if question == "lastpoint": return self.rows(((ticks - 1, h) for h in range(hosts)), grouped=True)
        if question == "export-one":
            host = self.names.index("host_42")
            return {(): [(START + t * STEP, float(self.data[t, host, 0])) for t in range(ticks)]}
        return {(): self.data.shape[0] * hosts}

def parsed(question, text):
    """The document of an InfluxQL server in the form of `Expected.answer`."""
    if question == "export-all": return {(): text.count(b"\n") - 1}
    out = {}
    for series in json.loads(text)["results"][0].get("series", []):
        times = numpy.array([row[0].rstrip("Z") for row in series["values"]], dtype="datetime64[s]").astype(int)
        out[tuple(series.get("tags", {}).values())] = [
            (int(time), *(float(v) if isinstance(v, (int, float)) else v for v in row[1:])) for time, row in zip(times, series["values"])]
    return out

def equal(expected, found):
    """Rows of one moment in any order; means to a part in 10^14."""
    if expected.keys() != found.keys(): return False
    for key, rows in expected.items():
        if isinstance(rows, int):
            if rows != found[key]: return False
            continue
        if len(rows) != len(found[key]) or [r[0] for r in rows] != [r[0] for r in found[key]]: return False
        for a, b in zip(sorted(rows, key=str), sorted(found[key], key=str)):
            if len(a) != len(b): return False
            for x, y in zip(a, b):
                if x != y and not (isinstance(x, float) and isinstance(y, float) and abs(x - y) <= 1e-14 * abs(x)): return False
    return True

def victoria(question, text):
    """VictoriaMetrics' samples as {metric: {hostname: [(time, value)]}}, times as they are."""
    results = json.loads(text)["data"]["result"]
    out = {}
    for one in results:
        name, host = one["metric"].get("__name__", ""), one["metric"].get("hostname", "")
        out[name, host] = [(t, float(v)) for t, v in (one["values"] if "values" in one else [one["value"]])]
    return out

def agrees(question, expected, text):
    """Whether VictoriaMetrics' samples are the values of an answer; exports by their number."""
    if question.startswith("export"):
        number = sum(len(json.loads(line)["values"]) for line in text.splitlines())
        rows = expected[()]
        return number == (rows * len(FIELDS) if isinstance(rows, int) else len(rows))
    got = victoria(question, text)
    values = sorted(v for rows in got.values() for _, v in rows)
    # Fields are the numbers; tags it gives once a series.
    wanted = sorted(x for group in expected.values() for row in group for x in row[1:] if isinstance(x, float))
    return len(values) == len(wanted) and bool(numpy.allclose(values, wanted, rtol=1e-12, atol=0))

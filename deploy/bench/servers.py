"""Varve, VictoriaMetrics and InfluxDB as processes that take one file of line protocol: for the scripts beside this one."""
import json, os, shutil, signal, socket, subprocess, sys, time, urllib.parse, urllib.request
from load import http_batches, tcp

def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

def get(url, timeout=60):
    return urllib.request.urlopen(url, timeout=timeout).read().decode()

def post(url, timeout=600):
    return urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=timeout).read().decode()

def wait_for(check, seconds=60, step=0.005):
    """Whether it came about in time."""
    end = time.time() + seconds
    while time.time() < end:
        try:
            if check(): return True
        except OSError:
            pass
        time.sleep(step)
    return False

def must(check, seconds=60):
    if not wait_for(check, seconds): sys.exit("a server did not get there within %d s" % seconds)

def cpu(pid):
    fields = open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

def peak(pid):
    return next(int(l.split()[1]) for l in open("/proc/%d/status" % pid) if l.startswith("VmHWM")) / 1024

def disk(folder):
    """Bytes that the files of a folder take: holes in them, as InfluxDB's series files have, take none."""
    total = 0
    for d, _, fs in os.walk(folder):
        for f in fs:
            # Merges remove files meanwhile.
            try:
                status = os.stat(os.path.join(d, f))
                total += min(status.st_size, status.st_blocks * 512)
            except FileNotFoundError: pass
    return total

def samples(url, prefix, word=""):
    """The sum of a server's metrics whose lines begin so and hold a word."""
    return sum(float(l.rsplit(" ", 1)[1]) for l in get(url + "/metrics").splitlines() if l.startswith(prefix) and word in l)

class Server:
    """Begins anew, with an empty directory. `again` starts it over what it has."""
    udp = None
    def __init__(self, work, load, varve, flags=()):
        self.work, self.load, self.varve, self.flags = work, load, varve, list(flags)
        self.folder = os.path.join(work, self.name)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.http = port()
        self.url = "http://127.0.0.1:%d" % self.http
        self.prepare()
        self.again()
        must(self.is_ready)
        self.begin()
    def begin(self): pass
    def again(self, env=None):
        self.log = open(os.path.join(self.work, self.name + ".log"), "a")
        self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=self.log, env={**os.environ, **self.environment()})
    def environment(self): return {}
    def stop(self, sign=signal.SIGTERM):
        if self.process.poll() is None: self.process.send_signal(sign)
        self.process.wait(120)
        self.log.close()
    def remove(self): shutil.rmtree(self.folder, ignore_errors=True)

class InfluxQLServer(Server):
    def ask(self, text):
        q = urllib.parse.urlencode({"db": "bench", "q": text})
        return json.loads(get("%s/query?%s" % (self.url, q), 300))["results"][0].get("series", [])
    def count(self):
        """By measurement, the points that have its field."""
        found = {}
        for measurement, field in self.load.fields.items():
            series = self.ask('SELECT count("%s") FROM "%s"' % (field, measurement))
            found[measurement] = series[0]["values"][0][1] if series else 0
        return found

class Varve(InfluxQLServer):
    name = "varve"
    durability = "yes: the log is synced, by the group"
    own_form = "/export?db=bench&format=sst"
    def prepare(self): self.tcp, self.udp = port(), port()
    def command(self):
        return [self.varve, "serve", "--data", self.data, "--http", "127.0.0.1:%d" % self.http, "--tcp", "127.0.0.1:%d" % self.tcp,
                "--udp", "127.0.0.1:%d" % self.udp, "--database", "bench"] + self.flags
    @property
    def data(self): return os.path.join(self.folder, "data")
    def is_ready(self): return "ready" in get(self.url + "/ready")
    def ingest(self): tcp(self.load, ("127.0.0.1", self.tcp), b"# ack end\n", True)
    def settle(self): post(self.url + "/compact?wait=true")
    def bytes(self): return disk(os.path.join(self.data, "tables"))
    def written(self):
        return samples(self.url, "varve_flush_written_bytes_total") + samples(self.url, "varve_compaction_written_bytes_total")
    def taken(self): return samples(self.url, "varve_ingest_lines_total", 'result="accepted"')

class Victoria(Server):
    name = "victoria-metrics"
    durability = "no: it has no log"
    own_form = "/api/v1/export/native?match%5B%5D=%7B__name__!%3D%22%22%7D"
    def prepare(self): self.tcp = self.udp = port()
    def command(self):
        return ["victoria-metrics", "-storageDataPath=" + os.path.join(self.folder, "data"), "-retentionPeriod=100y",
                "-httpListenAddr=127.0.0.1:%d" % self.http, "-influxListenAddr=127.0.0.1:%d" % self.tcp] + self.flags
    def is_ready(self): return get(self.url + "/health") == "OK"
    def rows(self): return samples(self.url, "vm_rows_inserted_total", "influx")
    def taken(self): return self.rows() * self.load.line_count / self.load.value_count
    def ingest(self):
        tcp(self.load, ("127.0.0.1", self.tcp))
        must(lambda: self.rows() >= self.load.value_count, 300)
    def settle(self):
        get(self.url + "/internal/force_flush")
        get(self.url + "/internal/force_merge", 300)
        time.sleep(3)
        must(lambda: samples(self.url, "vm_active_merges") == 0, 300)
        get(self.url + "/internal/force_flush")
    def count(self):
        found = {}
        for measurement, field in self.load.fields.items():
            # The whole of it, looked at from a second after its end.
            q = urllib.parse.urlencode({"query": "sum(count_over_time(%s_%s[10y]))" % (measurement, field), "nocache": "1",
                                        "time": str(self.load.last // 10**9 + 1)})
            result = json.loads(get("%s/api/v1/query?%s" % (self.url, q), 300))["data"]["result"]
            found[measurement] = int(result[0]["value"][1]) if result else 0
        return found
    def bytes(self): return disk(os.path.join(self.folder, "data", "data")) + disk(os.path.join(self.folder, "data", "indexdb"))

class Influx(InfluxQLServer):
    name = "influxdb"
    durability = "yes: its log is synced with each batch"
    def prepare(self):
        self.udp, self.rpc = port(), port()
        self.file = os.path.join(self.folder, "influxdb.conf")
        with open(self.file, "w") as f: f.write('[[udp]]\nenabled = true\nbind-address = "127.0.0.1:%d"\ndatabase = "bench"\n' % self.udp)
    def command(self): return ["influxd", "run", "-config", self.file] + self.flags
    def environment(self):
        return {
            "INFLUXDB_META_DIR": self.folder + "/meta", "INFLUXDB_DATA_DIR": self.folder + "/data", "INFLUXDB_DATA_WAL_DIR": self.folder + "/wal",
            "INFLUXDB_HTTP_BIND_ADDRESS": "127.0.0.1:%d" % self.http, "INFLUXDB_BIND_ADDRESS": "127.0.0.1:%d" % self.rpc,
            "INFLUXDB_REPORTING_DISABLED": "true", "INFLUXDB_HTTP_LOG_ENABLED": "false", "INFLUXDB_MONITOR_STORE_ENABLED": "false",
            "INFLUXDB_DATA_MAX_SERIES_PER_DATABASE": "0", "INFLUXDB_DATA_MAX_VALUES_PER_TAG": "0",
            "INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION": "1s", "INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION": "2s"}
    def is_ready(self): return urllib.request.urlopen(self.url + "/ping", timeout=5).status == 204
    def begin(self): post(self.url + "/query?q=CREATE+DATABASE+bench")
    def ingest(self): http_batches(self.load, ("127.0.0.1", self.http), "/write?db=bench")
    def settle(self):
        """Nothing tells when it is done: until its files keep their size for 6 s; at most 60."""
        last, since, end = -1, 0, time.time() + 60
        while time.time() < end:
            now = disk(os.path.join(self.folder, "data")), disk(os.path.join(self.folder, "wal"))
            if now != last: last, since = now, time.time()
            elif time.time() - since > 6: return
            time.sleep(0.25)
    def bytes(self): return disk(os.path.join(self.folder, "data"))
    def taken(self):
        values = json.loads(get(self.url + "/debug/vars"))
        return sum(v["values"].get("pointsTx", 0) for k, v in values.items() if isinstance(v, dict) and v.get("name") == "udp")

kinds = [Varve, Victoria, Influx]

"""Varve, VictoriaMetrics and InfluxDB as processes that take one file of line protocol: for the scripts beside this one."""
import http.client, json, os, shutil, signal, socket, subprocess, sys, threading, time, urllib.parse, urllib.request

def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

def get(url, timeout=30):
    return urllib.request.urlopen(url, timeout=timeout).read().decode()

def post(url, timeout=600):
    return urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=timeout).read().decode()

def wait_for(check, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        try:
            if check(): return
        except OSError:
            pass
        time.sleep(0.005)
    sys.exit("a server did not get there within %d s" % seconds)

def cpu(pid):
    fields = open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

def peak(pid):
    return next(int(l.split()[1]) for l in open("/proc/%d/status" % pid) if l.startswith("VmHWM")) / 1024

def disk(folder):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(folder) for f in fs if os.path.exists(os.path.join(d, f)))

class Load:
    """The lines, cut in two for two senders: even and odd lines, which is even and odd hosts."""
    def __init__(self, work, lines):
        self.halves = [os.path.join(work, "half%d.lp" % i) for i in (0, 1)]
        self.line_count = 0
        with open(lines, "rb") as source, open(self.halves[0], "wb") as a, open(self.halves[1], "wb") as b:
            for number, line in enumerate(source):
                (b if number % 2 else a).write(line)
                self.line_count += 1
        self.value_count = self.line_count * 10

def tcp(load, address, tail=b"", answer=False):
    def send(path):
        with socket.create_connection(address) as s, open(path, "rb") as f:
            s.sendfile(f)
            if tail: s.sendall(tail)
            if answer:
                text = s.makefile("rb").readline().decode()
                if not text.startswith("ok ") or "rejected=0" not in text: sys.exit("answered " + text)
            else:
                s.shutdown(socket.SHUT_WR)
                s.recv(1)
    threads = [threading.Thread(target=send, args=(h,)) for h in load.halves]
    for t in threads: t.start()
    for t in threads: t.join()

def http_batches(load, host, path, size=5000):
    def send(half):
        c = http.client.HTTPConnection(*host)
        with open(half, "rb") as f:
            while True:
                body = b"".join(l for l in (f.readline() for _ in range(size)) if l)
                if not body: return
                c.request("POST", path, body)
                r = c.getresponse(); r.read()
                if r.status != 204: sys.exit("answered %d" % r.status)
    threads = [threading.Thread(target=send, args=(h,)) for h in load.halves]
    for t in threads: t.start()
    for t in threads: t.join()

class Server:
    def __init__(self, work, load, varve):
        self.work, self.load, self.varve = work, load, varve
        self.http = port()
        self.begin()
    def start(self, command, folder, env=None):
        shutil.rmtree(folder, ignore_errors=True); os.makedirs(folder)
        self.folder = folder
        self.log = open(os.path.join(self.work, self.name + ".log"), "w")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env={**os.environ, **(env or {})})
    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

class Varve(Server):
    name = "varve"
    def begin(self):
        self.tcp = port()
        self.start([self.varve, "serve", "--data", os.path.join(self.work, "v", "data"), "--http", "127.0.0.1:%d" % self.http,
                    "--tcp", "127.0.0.1:%d" % self.tcp, "--udp", "off", "--database", "bench"], os.path.join(self.work, "v"))
        wait_for(lambda: "ready" in get("http://127.0.0.1:%d/ready" % self.http))
    def ingest(self): tcp(self.load, ("127.0.0.1", self.tcp), b"# ack end\n", True)
    def settle(self): post("http://127.0.0.1:%d/compact?wait=true" % self.http)
    def count(self):
        q = urllib.parse.urlencode({"db": "bench", "q": "SELECT count(usage_user) FROM cpu"})
        return json.loads(get("http://127.0.0.1:%d/query?%s" % (self.http, q)))["results"][0]["series"][0]["values"][0][1]
    def bytes(self):
        return disk(os.path.join(self.folder, "data", "tables"))

class Victoria(Server):
    name = "victoria-metrics"
    def begin(self):
        self.tcp = port()
        self.start(["victoria-metrics", "-storageDataPath=" + os.path.join(self.work, "vm", "data"), "-retentionPeriod=100y",
                    "-httpListenAddr=127.0.0.1:%d" % self.http, "-influxListenAddr=127.0.0.1:%d" % self.tcp], os.path.join(self.work, "vm"))
        wait_for(lambda: get("http://127.0.0.1:%d/health" % self.http) == "OK")
    def rows(self):
        return sum(float(l.split()[1]) for l in get("http://127.0.0.1:%d/metrics" % self.http).splitlines()
                   if l.startswith("vm_rows_inserted_total") and "influx" in l)
    def ingest(self):
        tcp(self.load, ("127.0.0.1", self.tcp))
        wait_for(lambda: self.rows() >= self.load.value_count)
    def settle(self):
        get("http://127.0.0.1:%d/internal/force_flush" % self.http)
        get("http://127.0.0.1:%d/internal/force_merge" % self.http)
        time.sleep(3)
        wait_for(lambda: all(float(l.split()[1]) == 0 for l in get("http://127.0.0.1:%d/metrics" % self.http).splitlines() if l.startswith("vm_active_merges")))
        get("http://127.0.0.1:%d/internal/force_flush" % self.http)
    def count(self):
        q = urllib.parse.urlencode({"query": 'sum(count_over_time(cpu_usage_user[1d]))', "time": "2016-01-01T23:59:59Z"})
        return int(json.loads(get("http://127.0.0.1:%d/api/v1/query?%s" % (self.http, q)))["data"]["result"][0]["value"][1])
    def bytes(self): return disk(os.path.join(self.folder, "data", "data")) + disk(os.path.join(self.folder, "data", "indexdb"))

class Influx(Server):
    name = "influxdb"
    def begin(self):
        base = os.path.join(self.work, "influx")
        self.start(["influxd", "run", "-config", "/dev/null"], base, {
            "INFLUXDB_META_DIR": base + "/meta", "INFLUXDB_DATA_DIR": base + "/data", "INFLUXDB_DATA_WAL_DIR": base + "/wal",
            "INFLUXDB_HTTP_BIND_ADDRESS": "127.0.0.1:%d" % self.http, "INFLUXDB_BIND_ADDRESS": "127.0.0.1:%d" % port(),
            "INFLUXDB_REPORTING_DISABLED": "true", "INFLUXDB_HTTP_LOG_ENABLED": "false", "INFLUXDB_MONITOR_STORE_ENABLED": "false",
            "INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION": "1s", "INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION": "2s"})
        wait_for(lambda: urllib.request.urlopen("http://127.0.0.1:%d/ping" % self.http).status == 204)
        post("http://127.0.0.1:%d/query?q=CREATE+DATABASE+bench" % self.http)
    def ingest(self): http_batches(self.load, ("127.0.0.1", self.http), "/write?db=bench")
    def settle(self): time.sleep(15)
    def count(self):
        q = urllib.parse.urlencode({"db": "bench", "q": "SELECT count(usage_user) FROM cpu"})
        return json.loads(get("http://127.0.0.1:%d/query?%s" % (self.http, q)))["results"][0]["series"][0]["values"][0][1]
    def bytes(self): return disk(os.path.join(self.folder, "data"))

kinds = [Varve, Victoria, Influx]

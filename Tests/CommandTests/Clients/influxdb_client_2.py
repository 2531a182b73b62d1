"""Drives influxdb-client (2.x API) against a server: writes of every kind, and what is not offered said in words.

    influxdb_client_2.py HOST:PORT
"""
import sys, urllib.parse, urllib.request, json
import influxdb_client
from influxdb_client import InfluxDBClient, Point, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS, WriteOptions
from influxdb_client.rest import ApiException

url = "http://" + sys.argv[1]
done = []


def check(name, found, wanted):
    if found != wanted:
        raise SystemExit(f"{name}: {found!r}, not {wanted!r}")
    done.append(name)


def ask(statement):
    query = urllib.parse.urlencode({"db": "v2", "epoch": "ns", "q": statement})
    return json.load(urllib.request.urlopen(f"{url}/query?{query}", data=b""))["results"][0]


ask('CREATE DATABASE "v2"')
ask('CREATE RETENTION POLICY "rp" ON "v2" DURATION INF REPLICATION 1')
with InfluxDBClient(url=url, token="user:secret", org="-") as client:
    check("ping", client.ping(), True)
    check("health", (client.health().status, client.health().version), ("pass", "1.8.10"))
    check("ready", client.ready().status, "ready")
    check("version", client.version(), "1.8.10")
    api = client.write_api(write_options=SYNCHRONOUS)
    api.write(bucket="v2", record=Point("p").tag("host", "a b").field("f", 1.5).field("i", 3).time(1, WritePrecision.S))
    api.write(bucket="v2/rp", record=["m,t=x v=1i 5", b"m,t=x v=2i 6"], write_precision=WritePrecision.S)
    api.write(bucket="v2", record={"measurement": "d", "fields": {"s": 'line\nbreak "quoted"'}, "time": 7})
    check("write, point", ask("SELECT * FROM p")["series"][0]["values"], [[1000000000, 1.5, "a b", 3]])
    check("write, bucket with policy", ask("SELECT v FROM rp.m")["series"][0]["values"],
          [[5000000000, 1], [6000000000, 2]])
    check("write, dictionary", ask("SELECT s FROM d")["series"][0]["values"], [[7, 'line\nbreak "quoted"']])
    with client.write_api(write_options=WriteOptions(batch_size=500, flush_interval=100)) as batching:
        for i in range(5_000):
            batching.write(bucket="v2", record=f"b,host=h{i % 7} v={i}i {i}")
    check("write, batching", ask("SELECT count(v) FROM b")["series"][0]["values"], [[0, 5000]])
    try:
        api.write(bucket="v2", record="bad")
        raise SystemExit("a bad line was taken")
    except ApiException as error:
        check("write, bad line", (error.status, json.loads(error.body)["code"]), (400, "invalid"))
    try:
        api.write(bucket="nosuch", record="m v=1")
        raise SystemExit("an unknown bucket was taken")
    except ApiException as error:
        check("write, unknown bucket", (error.status, json.loads(error.body)["code"]), (404, "not found"))
    try:
        client.query_api().query('from(bucket:"v2")')
        raise SystemExit("Flux was answered")
    except ApiException as error:
        check("Flux, not offered", error.status, 501)
with InfluxDBClient(url=url, token="user:secret", org="-", enable_gzip=True) as client:
    client.write_api(write_options=SYNCHRONOUS).write(bucket="v2", record=[f"z v={i} {i}" for i in range(2_000)])
    check("write, gzip", ask("SELECT count(v) FROM z")["series"][0]["values"], [[0, 2000]])
print(f"influxdb-client {influxdb_client.__version__}: " + ", ".join(done))

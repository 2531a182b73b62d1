"""Drives influxdb-python (1.x API) against a server, as its users do, and checks what comes back.

    influxdb_python.py HOST:PORT UDP_PORT
"""
import sys, datetime
import influxdb
from influxdb.exceptions import InfluxDBClientError, InfluxDBServerError

host, port = sys.argv[1].split(":")
client = influxdb.InfluxDBClient(host, int(port), database="pydb")
done = []


def check(name, found, wanted):
    if found != wanted:
        raise SystemExit(f"{name}: {found!r}, not {wanted!r}")
    done.append(name)


def refused(name, kind, text, call):
    try:
        call()
    except kind as error:
        if text not in str(error):
            raise SystemExit(f"{name}: {error}")
        return done.append(name)
    raise SystemExit(f"{name}: not refused")


check("ping", client.ping(), "1.8.10")
check("create_database", client.create_database("pydb"), None)
check("get_list_database", [d["name"] for d in client.get_list_database() if d["name"] == "pydb"], ["pydb"])
point = {"measurement": "cpu load", "tags": {"host": "a b", "region": "eu,west"},
         "fields": {"value": 3.5, "n": 7, "up": True, "msg": 'he said "hi", ok\\'}}
check("write_points", client.write_points([dict(point, time=1700000000000000000)]), True)
check("write_points, seconds", client.write_points(
    [dict(point, time=1700000001 + i) for i in range(9)], time_precision="s", batch_size=4), True)
check("write_points, datetime", client.write_points(
    [dict(point, time=datetime.datetime(2023, 11, 14, 23, 0, 0))]), True)
check("write_points, lines", client.write_points(["lp,host=a v=1 1700000000"], time_precision="s", protocol="line"), True)
refused("write, bad line", InfluxDBClientError, "missing field value", lambda: client.write_points(
    ["lp,host=a v= 1"], protocol="line"))
refused("write, unknown database", InfluxDBClientError, "database not found", lambda: client.write_points(
    [point], database="nope"))
refused("write, unknown policy", InfluxDBServerError, "retention policy not found: nope", lambda: client.write_points(
    [point], retention_policy="nope"))
packed = influxdb.InfluxDBClient(host, int(port), database="pydb", gzip=True)
check("write_points, gzip", packed.write_points(
    [{"measurement": "gz", "time": 1700000000 + i, "fields": {"v": float(i)}} for i in range(25_000)],
    time_precision="s", batch_size=10_000), True)
rows = list(client.query('SELECT * FROM "cpu load"').get_points())
check("query", len(rows), 11)
check("query, values", {k: rows[0][k] for k in ("host", "region", "value", "n", "up", "msg")},
      {"host": "a b", "region": "eu,west", "value": 3.5, "n": 7, "up": True, "msg": 'he said "hi", ok\\'})
check("query, epoch", list(client.query("SELECT v FROM gz LIMIT 2", epoch="s").get_points()),
      [{"time": 1700000000, "v": 0}, {"time": 1700000001, "v": 1}])
# Longer than what is sent whole.
check("query, long", sum(p["v"] for p in client.query("SELECT v FROM gz").get_points()), 25_000 * 24_999 // 2)
pieces = client.query("SELECT v FROM gz", chunked=True, chunk_size=4_000)
check("query, chunked", sum(p["v"] for result in pieces for p in result.get_points()), 25_000 * 24_999 // 2)
check("query, params", len(list(client.query(
    "SELECT v FROM gz WHERE v < $limit", bind_params={"limit": 5}).get_points())), 5)
check("query, POST", len(list(client.query("SELECT v FROM gz LIMIT 3", method="POST").get_points())), 3)
check("query, several", len(client.query("SELECT v FROM gz LIMIT 1; SELECT count(v) FROM gz")), 2)
refused("query, error", InfluxDBClientError, "error parsing query: found FROM", lambda: client.query("SELECT FROM"))
check("get_list_measurements", [m["name"] for m in client.get_list_measurements()], ["cpu load", "gz", "lp"])
check("get_list_series", client.get_list_series(measurement="cpu load"), [r"cpu\ load,host=a\ b,region=eu\,west"])
client.create_retention_policy("short", "3d", "1", database="pydb")
client.alter_retention_policy("short", duration="4d", database="pydb")
check("retention policies", [(p["name"], p["duration"], p["default"]) for p in client.get_list_retention_policies("pydb")],
      [("autogen", "0s", True), ("short", "96h0m0s", False)])
client.drop_retention_policy("short", "pydb")
check("get_list_users", client.get_list_users(), [])
check("get_list_continuous_queries", [q for q in client.get_list_continuous_queries() if "pydb" in q],
      [{"pydb": []}])
client.delete_series(measurement="cpu load", tags={"host": "a b"})
check("delete_series", client.get_list_series(measurement="cpu load"), [])
client.drop_measurement("gz")
check("drop_measurement", [m["name"] for m in client.get_list_measurements()], ["lp"])
udp = influxdb.InfluxDBClient(host, int(port), use_udp=True, udp_port=int(sys.argv[2]), database="metrics")
udp.write_points([{"measurement": "dgram", "time": 1700000000000000000 + i, "fields": {"v": i}} for i in range(50)])
for _ in range(2000):
    found = list(client.query("SELECT count(v) FROM dgram", database="metrics").get_points())
    if found and found[0]["count"] == 50:
        break
check("write_points, UDP", found and found[0]["count"], 50)
client.drop_database("pydb")
check("drop_database", [d["name"] for d in client.get_list_database() if d["name"] == "pydb"], [])
print(f"influxdb {influxdb.__version__}: " + ", ".join(done))

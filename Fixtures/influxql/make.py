#!/usr/bin/env python3
"""Asks a running InfluxDB 1.6 the statements of queries.txt and writes its answers.

usage: make.py http://127.0.0.1:8086   (makes and drops a database `varve_golden` there)

points.lp is loaded first. Lines of queries.txt that begin with # are skipped. answers.jsonl has one object a statement:
the text and the document of /query with epoch=ns (or the error of a text that does not parse).
"""
import json, os, sys, urllib.error, urllib.parse, urllib.request

base, here = sys.argv[1], os.path.dirname(os.path.abspath(__file__))


def post(path, parameters, body=None):
    data = body if body is not None else urllib.parse.urlencode(parameters).encode()
    url = base + path + ("?" + urllib.parse.urlencode(parameters) if body is not None else "?epoch=ns")
    try:
        return urllib.request.urlopen(url, data=data).read()
    except urllib.error.HTTPError as error:
        return error.read()


post("/query", {"q": "DROP DATABASE varve_golden"})
post("/query", {"q": "CREATE DATABASE varve_golden"})
post("/write", {"db": "varve_golden"}, open(here + "/points.lp", "rb").read())
with open(here + "/answers.jsonl", "w") as out:
    for text in open(here + "/queries.txt"):
        text = text.rstrip("\n")
        if text and not text.startswith("#"):
            answer = json.loads(post("/query", {"db": "varve_golden", "q": text}))
            out.write(json.dumps({"q": text, "answer": answer}, ensure_ascii=False) + "\n")
post("/query", {"q": "DROP DATABASE varve_golden"})

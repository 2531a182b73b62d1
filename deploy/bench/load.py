"""A file of line protocol as two senders send it, and what must be found of it afterwards."""
import http.client, os, re, socket, sys, threading, time

# Measurement and tags, with escaped spaces; then the first field's name.
HEAD = re.compile(rb"((?:[^ \\]|\\.)+) ([^=]+)=")

class Load:
    """Cut in two: even and odd lines, which is even and odd hosts."""
    def __init__(self, work, lines):
        self.lines = lines
        self.halves = [os.path.join(work, "half%d.lp" % i) for i in (0, 1)]
        self.line_count = self.value_count = 0
        # By measurement: the field that each of its lines has, and how many lines there are.
        self.fields, counts, field_counts = {}, {}, {}
        last = b""
        with open(lines, "rb") as source, open(self.halves[0], "wb") as a, open(self.halves[1], "wb") as b:
            for number, line in enumerate(source):
                (b if number % 2 else a).write(line)
                measurement = line[:line.index(b",")]
                if measurement not in counts:
                    head = HEAD.match(line)
                    self.fields[measurement.decode()] = head.group(2).decode()
                    field_counts[measurement] = line.count(b"=", head.end(1))
                    counts[measurement] = 0
                counts[measurement] += 1
                last = max(last, line[-20:-1])
        self.last = int(last)
        self.line_counts = {m.decode(): n for m, n in counts.items()}
        self.line_count = sum(counts.values())
        self.value_count = sum(n * field_counts[m] for m, n in counts.items())

    def remove_halves(self):
        for half in self.halves: os.remove(half)

def both(load, send):
    """Two threads, one a half; ends where one fails."""
    failures = []
    def run(half):
        try: send(half)
        except BaseException as error: failures.append(error)
    threads = [threading.Thread(target=run, args=(h,)) for h in load.halves]
    for t in threads: t.start()
    for t in threads: t.join()
    if failures: sys.exit("sending failed: %s" % failures[0])

def tcp(load, address, tail=b"", answer=False):
    def send(path):
        with socket.create_connection(address) as s, open(path, "rb") as f:
            s.sendfile(f)
            if tail: s.sendall(tail)
            if answer:
                text = s.makefile("rb").readline().decode()
                if not text.startswith("ok ") or "rejected=0" not in text: raise OSError("answered " + text)
            else:
                s.shutdown(socket.SHUT_WR)
                s.recv(1)
    both(load, send)

def http_batches(load, host, path, size=5000):
    """Each half in batches, one after the other. What a server has no room for now (5xx) is sent again, as its own clients do."""
    def send(half):
        c = http.client.HTTPConnection(*host)
        with open(half, "rb") as f:
            while True:
                body = b"".join(l for l in (f.readline() for _ in range(size)) if l)
                if not body: return
                for _ in range(600):
                    c.request("POST", path, body)
                    r = c.getresponse(); words = r.read()
                    if r.status < 500: break
                    time.sleep(0.2)
                if r.status != 204: raise OSError("answered %d: %s" % (r.status, words[:200]))
    both(load, send)

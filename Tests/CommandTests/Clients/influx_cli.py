"""Runs the real `influx` 1.x against a server: every call of a recorded transcript, in order, through a terminal where it was one.

    influx_cli.py HOST:PORT TRANSCRIPT.jsonl HOME

Writes a line for each call, `ok` or `FAIL` with what was printed and what InfluxDB's answer made it print.
"""
import gzip, json, os, pty, re, select, subprocess, sys, time, urllib.parse

ADDRESS, TRANSCRIPT, HOME = sys.argv[1:4]
HOST, PORT = ADDRESS.split(":")
# The history of the shell is that of this run.
ENVIRONMENT = dict(os.environ, HOME=HOME, TERM="dumb")


def normal(text, port):
    """Without what differs from run to run: port, versions, times of the log, blanks at line ends, who the server is."""
    text = text.replace("\r\n", "\n").replace(port, "PORT")
    text = re.sub(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ", "", text)
    # A refused line is named beside the message, and counted.
    text = re.sub(r'\\?"?,\\?"lines\\?":\[.*?\],\\?"accepted\\?":\d+,\\?"rejected\\?":\d+', '"', text)
    text = re.sub(r"dropped=\d+", "dropped=N", text)
    text = re.sub(r"version 1\.[0-9.~a-z]+", "version X", text)
    return "\n".join(line.rstrip() for line in text.split("\n"))


def write_files(step):
    """Makes the file that an import reads, out of what was sent of it."""
    names = [word for word in step["argv"] if word.startswith("import.txt")]
    if not names:
        return
    text = "# DDL\n"
    for exchange in step["exchanges"]:
        target = urllib.parse.urlsplit(exchange["request"].split(" ")[1])
        parameters = dict(urllib.parse.parse_qsl(target.query))
        if target.path == "/query":
            text += parameters["q"].strip() + "\n"
        if target.path == "/write":
            text += f"# DML\n# CONTEXT-DATABASE: {parameters['db']}\n# CONTEXT-RETENTION-POLICY: {parameters['rp']}\n"
            text += "\n".join(line for line in exchange["request_body"].split("\n") if line) + "\n"
    opened = gzip.open if names[0].endswith(".gz") else open
    with opened(os.path.join(HOME, names[0]), "wt", encoding="utf-8") as file:
        file.write(text)


def typed(argv, lines):
    """Types lines at the prompt, each when there is one; returns what the terminal showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(argv[0], argv, ENVIRONMENT)
    shown = b""

    def read(until):
        nonlocal shown
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if until is not None and shown.endswith(until):
                return True
            if not select.select([terminal], [], [], 0.5)[0]:
                continue
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                return False
            if not piece:
                return False
            shown += piece
        return False

    for line in lines:
        # `auth` asks in words of its own.
        if not read(b"> ") and not shown.endswith(b": "):
            break
        os.write(terminal, line.encode() + b"\n")
        read(b"\n")
    read(b"> ")
    try:
        os.write(terminal, b"exit\n")
    except OSError:
        pass
    read(None)
    os.waitpid(pid, 0)
    os.close(terminal)
    return shown.decode()


def main():
    failed = 0
    for line in open(TRANSCRIPT, encoding="utf-8"):
        step = json.loads(line)
        if "argv" not in step:
            continue
        argv = [word.replace("PORT", PORT) for word in step["argv"]]
        lines = step.get("stdin")
        write_files(step)
        if isinstance(lines, list):
            found = {"stdout": typed(argv, lines)}
            wanted = {"stdout": step["stdout"]}
        else:
            done = subprocess.run(
                argv, input=(lines or "").encode(), capture_output=True, env=ENVIRONMENT, timeout=60, cwd=HOME)
            found = {"stdout": done.stdout.decode(), "stderr": done.stderr.decode(), "exit": done.returncode}
            wanted = {key: step[key] for key in found}
        same = all(
            normal(str(found[key]), PORT) == normal(str(wanted[key]), "PORT") for key in wanted)
        if same:
            print("ok  ", step["step"])
            continue
        failed += 1
        print("FAIL", step["step"], "|", json.dumps({"found": found, "wanted": wanted}, ensure_ascii=False))
    print("calls that differ:", failed)


main()

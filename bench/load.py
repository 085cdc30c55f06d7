"""What measures: wrk for requests, pgbench for the same SQL alone, /proc for the CPU that a city uses."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class Row(msgspec.Struct, frozen=True):
    """One measurement: requests a second, the median and the 99th hundredth in ms, and CPU ms a request."""

    rate: float
    p50: float
    p99: float
    cpu: float
    wrong: int = 0


def seconds_of(pids: Sequence[int]) -> float:
    """The CPU time that these processes have used."""
    used = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        used += sum(int(part) for part in fields[11:15])  # with that of children that have ended
    return used / os.sysconf("SC_CLK_TCK")


def wrk(url: str, at_once: int, seconds: int, headers: dict[str, str], pids: Sequence[int], script: str = "") -> Row:
    """Ask a server for some seconds, so many requests at once."""
    if shutil.which("wrk") is None:
        sys.exit("make bench wants wrk: apt-get install wrk.")
    command = ["wrk", "-t1", f"-c{at_once}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
    command += [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
        if script:
            lua.write(script)
            lua.flush()
            command += ["-s", lua.name]
        before = seconds_of(pids)
        said = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
        used = seconds_of(pids) - before
    total, took = re.search(r"(\d+) requests in ([\d.]+)s", said).groups()
    waits = {share: float(number) * UNITS[unit] for share, number, unit in
             re.findall(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)", said, re.MULTILINE)}
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Row(int(total) / float(took), waits["50"], waits["99"], used * 1000 / max(1, int(total)), int(wrong[1]) if wrong else 0)


def median(rows: Sequence[Row]) -> Row:
    """The middle of several runs, column by column."""
    middle = {name: statistics.median(getattr(row, name) for row in rows) for name in ("rate", "p50", "p99", "cpu")}
    return Row(**middle, wrong=sum(row.wrong for row in rows))


BARE = """
import os
BODY = open(os.environ["BENCH_BODY"], "rb").read()
HEADERS = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", str(len(BODY)).encode())]
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": BODY})
    else:
        await receive(); await send({"type": "lifespan.startup.complete"}); await receive(); await send({"type": "lifespan.shutdown.complete"})
"""


def bare(body: bytes, port: int, at_once: int, seconds: int) -> float:
    """Requests a second when Granian serves these bytes and nothing else is done."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bare.py").write_text(BARE)
        (Path(folder) / "body").write_bytes(body)
        server = subprocess.Popen(
            [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "2", "--loop", "uvloop", "--port", str(port),
             "--log-level", "error", "bare:app"],
            cwd=folder, env={**os.environ, "BENCH_BODY": f"{folder}/body"},
        )
        try:
            time.sleep(2)
            return wrk(f"http://127.0.0.1:{port}/", at_once, seconds, {}, []).rate
        finally:
            server.terminate()
            server.wait()


def pgbench(program: Path, url: str, statements: Sequence[tuple[str, Sequence[object]]], at_once: int, seconds: int) -> float:
    """Runs a second of the same statements by pgbench, prepared, with the values they had."""
    lines = [_literal(sql, values).replace("\n", " ") + ";" for sql, values in statements]
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write("\n".join(lines) + "\n")
        script.flush()
        done = subprocess.run(
            [str(program), "-n", "-M", "prepared", "-c", str(at_once), "-j", "1", "-T", str(seconds), "-f", script.name, url],
            capture_output=True, text=True, check=False,
        )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise RuntimeError(done.stderr[-800:])
    return float(found[1])


def _literal(sql: str, values: Sequence[object]) -> str:
    for place in range(len(values), 0, -1):
        sql = re.sub(rf"\${place}(?!\d)", lambda _, value=values[place - 1]: _quoted(value), sql)
    # To pgbench a colon before a word is a variable, also in a text: there it is spelled as a character.
    return re.sub(r"(?<![:\w]):(?=\w)|(?<=\w):(?=\w)", "'||chr(58)||'", sql)


def _quoted(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return rf"'\x{value.hex()}'::bytea"
    if isinstance(value, list | tuple):
        inner = ",".join(_quoted(part) for part in value)
        kind = "bigint" if all(isinstance(part, int) for part in value) else "text"
        return f"ARRAY[{inner}]::{kind}[]"
    return "'" + str(value).replace("'", "''") + "'"

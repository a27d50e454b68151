"""1,000 generations waited for at once in one server: memory, processor time, and how late the news comes.

    python3 dev.py bench load

Each generation has a `wait` call of its own, with progress, over one stdio connection. They are submitted at a steady
pace and take equally long, so that for a while all of them are under way, and then they finish at the same pace.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.common import fatthumb, rows, spread

PACE = 20
ALL_WAIT_S = 20.0
POLL_S, FIRST_LOOK_S = 3.0, 1.0
LIMITS = f"submit={PACE}/1,requests=100000000/3600"


@dataclass
class Seen:
    """The messages that came out of the server, and their times."""

    ids: list[str] = field(default_factory=list[str])
    finished: dict[str, float] = field(default_factory=dict[str, float])
    progress: int = 0
    answers: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)


def main() -> int:
    """Runs it and prints the figures; fails where a generation did not succeed."""
    parser = argparse.ArgumentParser(description="many waiters in one process")
    parser.add_argument("--generations", type=int, default=1000)
    arguments = parser.parse_args()
    count: int = arguments.generations
    # A whole number of polls, and a half: what is late by chance of the polls' phase is then late by the average.
    lasts = round((count / PACE * 1.3 + ALL_WAIT_S) / POLL_S) * POLL_S + FIRST_LOOK_S + POLL_S / 2
    with tempfile.TemporaryDirectory() as folder, fatthumb(duration=lasts, credits=None) as provider:
        home = Path(folder)
        with subprocess.Popen(
            [sys.executable, "-m", "darkroom", "serve"], env=provider.environ(home, LIMITS),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        ) as server:  # fmt: skip
            seen = Seen()
            threading.Thread(target=read, args=(server, seen), daemon=True).start()
            say(server, 0, "list_generations", {})
            until(seen, lambda: seen.answers == 1)
            idle, start = memory(server.pid), time.monotonic()
            for number in range(count):
                say(server, number + 1, "generate", {"prompt": f"picture {number}", "provider": "fatthumb"})
            until(seen, lambda: len(seen.ids) == count)
            for number, generation_id in enumerate(seen.ids):
                waiting = {"generation_ids": [generation_id], "timeout_s": 600}
                say(server, count + number + 1, "wait", waiting, progress=True)
            while len(provider.log()["posts"]) < count:
                time.sleep(0.5)
            submitted_in, cpu, began = time.monotonic() - start, processor(server.pid), time.monotonic()
            time.sleep(ALL_WAIT_S / 2)
            share = (processor(server.pid) - cpu) / (time.monotonic() - began)
            until(seen, lambda: len(seen.finished) == count)
            peak = memory(server.pid, "VmHWM")
            posts = {post["body"]["prompt"]: post["wall"] for post in provider.log()["posts"]}
            known = rows(home, "SELECT id, json_extract(request, '$.prompt'), stage FROM generations")
            late = [seen.finished[row[0]] - (posts[row[1]] + lasts) for row in known]
            requests = len(provider.log()["times"])
            server.stdin.close() if server.stdin else None
    print(f"{count} generations, submitted in {submitted_in:.1f} s, {seen.progress} progress notifications, "
          f"{requests} requests")  # fmt: skip
    print(f"memory: {idle:.0f} MB at the start, {peak:.0f} MB at its highest")
    print(f"processor while all wait: {100 * share:.0f} % of one core")
    print(f"polls {POLL_S:g} s apart, done half-way between two")
    print(f"from the provider's completion to the waiter's answer: {spread(late)}")
    return 0 if all(row[2] == "succeeded" for row in known) and len(posts) == count else 1


def say(
    server: "subprocess.Popen[str]", number: int, tool: str, arguments: dict[str, Any], *, progress: bool = False
) -> None:
    """Calls a tool, after the handshake where it is the first call."""
    assert server.stdin is not None
    if number == 0:
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "load", "version": "0"}}
        server.stdin.write(json.dumps({"jsonrpc": "2.0", "id": -1, "method": "initialize", "params": hello}) + "\n")
        server.stdin.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}) + "\n")
    params: dict[str, Any] = {"name": tool, "arguments": arguments}
    if progress:
        params["_meta"] = {"progressToken": number}
    server.stdin.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}) + "\n")


def read(server: "subprocess.Popen[str]", seen: Seen) -> None:
    """Notes when each generation's pictures were announced."""
    assert server.stdout is not None
    for line in server.stdout:
        now, message = time.time(), json.loads(line)
        answer = message.get("result", {}).get("structuredContent", {})
        with seen.changed:
            seen.progress += message.get("method") == "notifications/progress"
            seen.answers += "generations" in answer
            if "id" in answer:
                seen.ids.append(answer["id"])
            for generation in answer.get("generations", ()):
                seen.finished[generation["id"]] = now
            seen.changed.notify_all()


def until(seen: Seen, condition: Any) -> None:
    """Waits for it, for ten minutes at most."""
    with seen.changed:
        if not seen.changed.wait_for(condition, timeout=600):
            raise TimeoutError("the server did not answer everything in ten minutes")


def memory(pid: int, field_name: str = "VmRSS") -> float:
    """Megabytes of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field_name):
            return int(line.split()[1]) / 1024
    raise LookupError(field_name)


def processor(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())

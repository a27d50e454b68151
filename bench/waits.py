"""1,000 generations waited for at once in one server: memory, processor time, and how late the news comes.

    python3 dev.py bench waits
    python3 dev.py bench waits --generations 100

Each generation has a `wait` call of its own, with progress, over one stdio connection. They are submitted at a steady
pace and take equally long, so that for a while all of them are under way, and then they finish at the same pace. The
processor time for a look holds everything else that goes on meanwhile, such as the progress that is reported to each
waiter; beside it stands that of a bare GET of the same HTTP client: one after the other, and at the pace of the looks,
since a process that idles in between pays more for each. Writes .artifacts/waits.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import anyio

from bench.common import bare_get, fatthumb, paced_get, processor_s, rows, spread, write_json

PACE = 20
ALL_WAIT_S = 20.0
SLOWER = 2.5
"""A busy machine submits so many times more slowly, and all are under way for a while nevertheless."""
GOAL_MB, GOAL_MS, GOAL_LATE_S = 200, 0.3, 0.1
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
    lasts = count / PACE * SLOWER + ALL_WAIT_S
    with tempfile.TemporaryDirectory() as folder, fatthumb(duration=lasts, credits=None) as provider:
        home = Path(folder)
        bare_ms = anyio.run(bare_get, provider)
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
            print("under way", flush=True)
            submitted_in, cpu, began = time.monotonic() - start, processor_s(server.pid), time.time()
            time.sleep(ALL_WAIT_S / 2)
            used, ended, early = processor_s(server.pid) - cpu, time.time(), len(seen.finished)
            until(seen, lambda: len(seen.finished) == count)
            peak = memory(server.pid, "VmHWM")
            log, known = provider.log(), rows(home, "SELECT id, job_id, stage FROM generations")
            server.stdin.close() if server.stdin else None
        looks = sum(began <= wall < ended and route == "read" for _, wall, route in log["times"])
        paced_ms = anyio.run(paced_get, provider, looks / (ended - began))
    # The last look at each job is the one that was told that it is done; what comes after that is our own.
    late = [seen.finished[row[0]] - log["last_read"][row[1]] for row in known]
    look_ms, share = 1000 * used / max(looks, 1), used / (ended - began)
    print(f"{count} generations, submitted in {submitted_in:.1f} s, {seen.progress} progress notifications, "
          f"{len(log['times'])} requests")  # fmt: skip
    print(f"memory: {idle:.0f} MB at the start, {peak:.0f} MB at its highest; goal: {GOAL_MB} MB")
    print(f"processor while all wait: {100 * share:.0f} % of one core, {looks} looks, {look_ms:.2f} ms for each; "
          f"a bare GET: {bare_ms:.2f} ms, {paced_ms:.2f} ms at their pace; goal: {GOAL_MS} ms more")  # fmt: skip
    if early:
        print(f"{early} of them were done before that was measured: this machine was too slow for that figure")
    print(f"from the request that found it done to the waiter's response: {spread(late)}; goal: {GOAL_LATE_S} s")
    write_json("waits", {
        "generations": count, "megabytes": peak, "percent of a core": 100 * share, "ms for a look": look_ms,
        "ms for a bare GET": bare_ms, "ms for one at their pace": paced_ms, "median s late": median(late),
    })  # fmt: skip
    done = all(row[2] == "succeeded" for row in known) and len(log["posts"]) == count
    return 0 if done and peak <= GOAL_MB else 1


def say(
    server: "subprocess.Popen[str]", number: int, tool: str, arguments: dict[str, Any], *, progress: bool = False
) -> None:
    """Calls a tool, after the handshake where it is the first call."""
    assert server.stdin is not None
    if number == 0:
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "waits", "version": "0"}}
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


if __name__ == "__main__":
    sys.exit(main())

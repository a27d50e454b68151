"""The service of `service.py`, in a process of its own for as long as a block lasts."""

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from bench.common import ROOT, Provider


@contextmanager
def null_service() -> Generator[Provider]:
    """A service that costs next to nothing; it ends with this process at the latest."""
    command = [sys.executable, "-m", "bench.hosted.service"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            hello = json.loads(process.stdout.readline())
            yield Provider(hello["url"], hello["key"], hello["log"])
        finally:
            process.kill()

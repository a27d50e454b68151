"""The process that tests fork in place of a start: what the measuring of it must not break."""

import os
import subprocess
import sys

from tests.hosts import PATIENCE_S

INTERRUPTED = """
import darkroom
import os, signal, coverage, contextlib

running = coverage.Coverage.current()
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
with running._collector.data_lock if running else contextlib.nullcontext():
    signal.raise_signal(signal.SIGTERM)
os._exit(1)
"""


def test_a_signal_ends_a_process_in_the_middle_of_what_the_measuring_does() -> None:
    environ = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    process = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], env={"PYTHONWARNINGS": "error", **environ}, check=False, timeout=PATIENCE_S
    )
    assert process.returncode == 0

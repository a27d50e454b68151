"""A provider service as a process of its own: `python -m tests.services fatthumb --set duration=2`."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb

SERVICES = {"fatthumb": FatThumb, "betterwaifu": BetterWaifu}


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to end, or for `--lifetime` seconds; the first line on stdout is JSON: url, key, log."""
    asked = _parser().parse_args(arguments)
    knobs: dict[str, Any] = dict(asked.set)
    told = threading.Event()

    def tell(*_: object) -> None:
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, tell)
    with SERVICES[asked.service](port=asked.port, **knobs) as service:
        hello = {"url": service.url, "key": service.key, "log": f"{service.origin}/_log"}
        print(json.dumps(hello), flush=True)
        told.wait(asked.lifetime)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.services", description=__doc__)
    parser.add_argument("service", choices=sorted(SERVICES))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--lifetime", type=float, default=3600.0, metavar="SECONDS")
    parser.add_argument("--set", action="append", default=[], type=_knob, metavar="NAME=JSON")
    return parser


def _knob(text: str) -> tuple[str, object]:
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


if __name__ == "__main__":
    sys.exit(main())

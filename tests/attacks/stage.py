"""One user of both providers, with secrets that can be found again, and one server that lasts for many attacks."""

import itertools
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from tests.attacks.canary import BETTERWAIFU_KEY, FATTHUMB_KEY, PASSWORD, SECRETS, Marks, files_that_hold, found_in
from tests.faults.runs import OVER, generation_of, looked_at, status_of
from tests.faults.scene import UNHURRIED, Outcome, Scene, Server
from tests.services.base import Service
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Fault, RouteName


@dataclass
class Stage:
    """What an attack has in its hands."""

    scene: Scene
    server: Server
    fatthumb: FatThumb
    betterwaifu: BetterWaifu
    _numbers: Generator[int] = field(default_factory=lambda: (number for number in itertools.count()))
    _read: dict[int, int] = field(default_factory=dict[int, int])
    _searched: Marks = field(default_factory=Marks)

    def made(self) -> Outcome:
        """A generation of its own, looked at until it is over."""
        self.scene.prompt = f"attack {next(self._numbers)}"
        started = generation_of(self.scene, self.server)
        return looked_at(self.scene, self.server, started, lambda outcome: status_of(outcome) in OVER)

    def refused(self) -> str:
        """What the one generation says that its provider refuses."""
        outcome = self.made()
        assert outcome.generation is not None
        message = outcome.generation["error"]["message"]
        assert message in outcome.text
        return message

    def models(self, provider: str, **answers: Fault) -> tuple[str, dict[str, Any]]:
        """What list_models tells of one provider that answers so by route: the text and the structure."""
        service: Service[Any] = getattr(self, provider)
        for route, answer in answers.items():
            service.always(cast("RouteName", route), answer)
        result = self.server.call("list_models", provider=provider)
        while "was not asked now" in result["content"][0]["text"]:  # the ledger was slow to let the request through
            result = self.server.call("list_models", provider=provider)
        for route in answers:
            service.always(cast("RouteName", route), None)
        return result["content"][0]["text"], result["structuredContent"]["providers"][0]

    def assert_silent(self) -> None:
        """No secret can be read in any answer, in the log at its most talkative, or in any file, since the last look.

        All of it is searched anew once the server has ended, a secret in parts and a change in no time included.
        """
        for lines in (self.server.heard, self.server.err):
            said = lines[self._read.get(id(lines), 0) :]
            self._read[id(lines)] = self._read.get(id(lines), 0) + len(said)
            assert found_in("".join(said), *SECRETS) == []
        assert files_that_hold(self.scene.path, *SECRETS, searched=self._searched) == {}

    def assert_told_nothing(self) -> None:
        """No secret can be read in anything that any process, all of which have ended, has printed or left."""
        assert found_in(self.scene.everything_printed(), *SECRETS) == []
        assert files_that_hold(self.scene.path, *SECRETS) == {}


@contextmanager
def set_up(
    path: Path, fatthumb_of: type[FatThumb] = FatThumb, betterwaifu_of: type[BetterWaifu] = BetterWaifu
) -> Generator[Stage]:
    """The stage. FatThumb lies behind a gateway that wants a password."""
    with (
        fatthumb_of(key=FATTHUMB_KEY, duration=0.0) as fatthumb,
        betterwaifu_of(key=BETTERWAIFU_KEY, duration=0.0) as betterwaifu,
        Scene(path, fatthumb, prompt="", count=1) as scene,
    ):
        scene.extra |= {
            "FATTHUMB_BASE_URL": fatthumb.url.replace("://", f"://me:{quote(PASSWORD, safe='')}@"),
            "BETTERWAIFU_API_KEY": betterwaifu.key,
            "BETTERWAIFU_BASE_URL": betterwaifu.url,
            "BETTERWAIFU_LIMITS": UNHURRIED,
        }
        with scene.server() as server:
            yield Stage(scene, server, fatthumb, betterwaifu)


def structured(outcome: Outcome) -> str:
    """The generation as JSON text."""
    return json.dumps(outcome.generation, ensure_ascii=False)

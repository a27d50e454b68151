"""Providers that repeat their customer's key in every answer, and the faults of the other tables for them to have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from starlette.types import Message, Receive, Scope, Send

from tests.attacks.canary import PASSWORD
from tests.faults import test_picture_faults, test_reading_faults, test_submission_faults
from tests.faults.runs import at_the_terminal, through_a_server
from tests.faults.table import Fault as Row
from tests.services import betterwaifu, fatthumb
from tests.services.base import Service
from tests.services.faults import Alter, Answer, Fault, RouteName

TABLES: Mapping[str, Sequence[Row]] = {
    "submission": test_submission_faults.FAULTS,
    "reading": test_reading_faults.FAULTS,
    "pictures": test_picture_faults.FAULTS,
}


def repeating(service: Service[Any]) -> None:
    """From now on its JSON holds the key in names and in values."""
    said = {"debug": {service.key: f"Bearer {service.key}"}, "echo": [service.key, PASSWORD]}
    for route in ("submit", "read", "models", "account"):
        service.always(route, Alter(lambda answer: {**answer, **said}))


class _Talkative:
    """The key in headers of every answer, whatever the answer is."""

    key: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        echo = [(b"x-echo", self.key.encode()), (b"set-cookie", b"gateway=" + PASSWORD.encode())]

        async def louder(message: Message) -> None:
            start = message["type"] == "http.response.start"
            await send({**message, "headers": [*message["headers"], *echo]} if start else message)

        await super().__call__(scope, receive, louder)  # type: ignore[misc]


# A scene names a service's variables after its class.
class FatThumb(_Talkative, fatthumb.FatThumb):
    """FatThumb, talkative."""


class BetterWaifu(_Talkative, betterwaifu.BetterWaifu):
    """BetterWaifu, talkative."""


@dataclass
class Script:
    """Stands where a row of the other tables expects its scene: notes what it does to the provider."""

    faults: list[tuple[RouteName, Fault | None]] = field(default_factory=list[tuple[RouteName, Fault | None]])
    fates: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def service(self) -> "Script":
        return self

    def script(self, route: RouteName, *faults: Fault | None) -> None:
        self.faults.extend((route, fault) for fault in faults)

    def always(self, route: RouteName, fault: Fault | None) -> None:
        self.script(route, fault)

    def later_jobs(self, **changes: Any) -> None:
        self.fates.append(changes)


def scripts(rows: Iterable[Row], service: type[Service[Any]]) -> list[Script]:
    """What those rows do that have a provider of this kind and need nothing but its answers."""
    found: list[Script] = []
    for row in rows:
        if row.service is service and row.run in {at_the_terminal, through_a_server}:
            script = Script()
            try:
                row.prepare(script)  # pyright: ignore[reportArgumentType]
            except AttributeError:  # it does something else as well, to its user or to its machine
                continue
            found.append(script)
    return found


def louder(fault: Fault | None, key: str) -> Fault | None:
    """The fault with the key in its words."""
    if not isinstance(fault, Answer):
        return fault
    body = fault.json
    if isinstance(body, dict):
        said = cast("dict[str, object]", body)
        return replace(fault, json={**said, "error": f"{said.get('error', 'no')} {key}", key: key})
    return fault if fault.text is None else replace(fault, text=f"{fault.text} {key}")

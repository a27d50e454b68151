"""How a row comes to its end: by a command, by a server, across a kill."""

import signal
from collections.abc import Callable

from tests.faults.scene import Command, Outcome, Scene, Server
from tests.hosts import PATIENCE_S, eventually

Run = Callable[[Scene], Outcome]
OVER = {"succeeded", "partial", "failed", "cancelled"}


def nothing(scene: Scene) -> None:
    """Nothing is to be done."""


def at_the_terminal(scene: Scene) -> Outcome:
    """`generate`, to its end."""
    return scene.generate().outcome()


def meanwhile(happens: Callable[[Scene, Command], None]) -> Run:
    """`generate`, to its end, while something happens."""

    def run(scene: Scene) -> Outcome:
        command = scene.generate()
        happens(scene, command)
        return command.outcome()

    return run


def through_a_server(scene: Scene) -> Outcome:
    """`generate`, then `get_status` as often as the provider allows, until it is over."""
    with scene.server() as server:
        return looked_at(scene, server, generation_of(scene, server), lambda outcome: status_of(outcome) in OVER)


def until_it_says(words: str) -> Run:
    """`generate`, then `get_status` until it says so."""

    def run(scene: Scene) -> Outcome:
        with scene.server() as server:
            generation_id = generation_of(scene, server)
            return looked_at(scene, server, generation_id, lambda outcome: words in outcome.text)

    return run


def interrupted(
    when: Callable[[Scene], object],
    *,
    how: signal.Signals = signal.SIGKILL,
    then: Callable[[Scene], object] = nothing,
) -> Run:
    """`generate`, ended in the middle; what `wait` says of it later."""

    def run(scene: Scene) -> Outcome:
        command = scene.generate()
        when(scene)
        command.process.send_signal(how)
        command.join()
        assert scene.files_with_the_key() == []
        then(scene)
        return scene.waited()

    return run


def generation_of(scene: Scene, server: Server) -> str:
    """Starts the generation; answers its id."""
    outcome = server.ask("generate", prompt=scene.prompt, count=scene.count)
    assert outcome.generation is not None, outcome.text
    scene.statuses.append(outcome.generation["status"])
    return str(outcome.generation["id"])


def looked_at(scene: Scene, server: Server, generation_id: str, enough: Callable[[Outcome], bool]) -> Outcome:
    """The first answer of `get_status` that is enough."""
    outcomes: list[Outcome] = []

    def look() -> bool:
        outcomes.append(server.ask("get_status", generation_id=generation_id))
        scene.statuses.append(status_of(outcomes[-1]))
        return enough(outcomes[-1])

    eventually(look)
    return outcomes[-1]


def status_of(outcome: Outcome) -> str:
    assert outcome.generation is not None, outcome.text
    return str(outcome.generation["status"])


# Moments to wait for


def posted(scene: Scene) -> None:
    """The provider has accepted the POST."""
    scene.service.until(lambda: bool(scene.service.posts), PATIENCE_S)


def polled(scene: Scene) -> None:
    """The job has been looked at, so its id is in the ledger."""
    scene.service.until(lambda: bool(scene.service.requests(route="read")), PATIENCE_S)


def fetching(scene: Scene) -> None:
    """A picture is being fetched."""
    scene.service.until(lambda: bool(scene.service.picture_requests), PATIENCE_S)

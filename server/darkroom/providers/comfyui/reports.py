"""ComfyUI's messages about a job, as a line for people: which node it is at, and how far that is."""

from collections.abc import Iterable, Mapping
from typing import Any

from darkroom.providers.comfyui.answers import Node, as_list, as_table, with_sources
from darkroom.providers.reporting import Step

MOST_STEPS = 10**6
"""The largest figure that is shown."""


class Reports:
    """The messages about one job. `nodes`: its nodes by their ids; empty: nobody knows them."""

    def __init__(self, job: str, nodes: Mapping[str, Node]) -> None:
        self._job = job
        self._nodes = nodes
        self._begun: set[str] = set()
        self._node = ""
        self._figures: tuple[int, int] | None = None
        self._said = ""

    def step(self, message: Any) -> Step | None:
        """The report in this message; None: it says nothing new, or nothing of this job."""
        about = as_table(as_table(message).get("data"))
        kind = as_table(message).get("type")
        if about.get("prompt_id") != self._job:
            return None
        if kind == "executing" and about.get("node", "") is None:  # the history has it by now
            return Step(over=True)
        self._take(kind, about)
        text = self._text()
        if text == self._said:
            return None
        self._said = text
        return Step(text=text)

    def _take(self, kind: Any, about: Mapping[str, Any]) -> None:
        if kind == "execution_cached":
            self._begin(as_list(about.get("nodes")))
        elif kind == "executing":
            self._at(about.get("node"), None)
        elif kind == "progress":
            self._at(about.get("node"), _figures(about))
        elif kind == "progress_state":
            self._states(as_table(about.get("nodes")))

    def _states(self, states: Mapping[str, Any]) -> None:
        self._begin(states)
        running = {node: state for node, each in states.items() if (state := as_table(each)).get("state") == "running"}
        if running:
            node = self._node if self._node in running else next(iter(running))
            self._at(node, _figures(running[node]))

    def _begin(self, nodes: Iterable[Any]) -> None:
        # What a node needs is done by then: it may have gone by before anybody listened, or be kept from another job.
        self._begun |= with_sources(self._nodes, nodes)

    def _at(self, node: Any, figures: tuple[int, int] | None) -> None:
        if isinstance(node, str) and node in self._nodes:
            self._begin([node])
            self._node, self._figures = node, figures

    def _text(self) -> str:
        """`KSampler 12 of 20, node 5 of 7`; empty: nothing is known."""
        if not self._node:
            return ""
        figures = f" {self._figures[0]} of {self._figures[1]}" if self._figures else ""
        return f"{self._nodes[self._node].kind}{figures}, node {len(self._begun)} of {len(self._nodes)}"


def _figures(about: Mapping[str, Any]) -> tuple[int, int] | None:
    """The steps of a node that are done, and all of them; None: it has no such figures, or none that can be shown."""
    done, most = _figure(about.get("value")), _figure(about.get("max"))
    return (done, most) if done is not None and most is not None and done <= most > 1 else None


def _figure(value: Any) -> int | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_STEPS
    return round(value) if known else None

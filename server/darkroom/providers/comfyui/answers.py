"""ComfyUI's responses: its history, its queue, its nodes, and why it refuses a workflow."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from darkroom.models import MAX_COUNT, ImageStatus
from darkroom.providers.base import NO_REASON, Reading, RemoteImage
from darkroom.redact.secrets import REDACTED
from darkroom.redact.text import clean

MAX_NAME = 300
_INTERRUPTS_ONE = [0, 3, 64]
"""The version from which on that is known; an older one may interrupt whatever runs, whatever job is named."""
_INTERRUPTED = "it was interrupted in ComfyUI"


def finished(entry: Any) -> Reading:
    """The end of a job as the history has it."""
    status = as_table(as_table(entry).get("status"))
    failed = status.get("status_str") == "error"
    outputs = as_table(as_table(entry).get("outputs"))
    places = [place for number in sorted(outputs, key=_in_order) for place in _pictures(outputs[number])]
    # A workflow may show previews besides what it saves; they go with ComfyUI's next start.
    kept = [place for place in places if place["type"] == "output"] or places
    reason = _reason(status) if failed else None
    return Reading(done=True, images=images(kept), error=reason, cancelled=reason == _INTERRUPTED)


def images(places: list[dict[str, str]]) -> tuple[RemoteImage, ...]:
    """Pictures that are saved at these places."""
    return tuple(
        RemoteImage(
            index=index,
            remote_id=f"{place['subfolder']}/{place['filename']}"[-200:],
            status=ImageStatus.SUCCEEDED,
            source=place,
        )
        for index, place in enumerate(places[:MAX_COUNT], start=1)
    )


def queued(queue: Mapping[str, Any], job: str) -> Reading | None:
    """The job as the queue has it; None: it is not there."""
    if any(_id(item) == job for item in _items(queue.get("queue_running"))):
        return Reading(done=False)
    pending = sorted(_items(queue.get("queue_pending")), key=_number)
    place = next((at for at, item in enumerate(pending, start=1) if _id(item) == job), None)
    return None if place is None else Reading(done=False, queued=True, queue_position=place)


class Node(NamedTuple):
    """A node of a job: its kind, and the ids of the nodes that it takes something from."""

    kind: str
    sources: tuple[str, ...] = ()


def nodes(queue: Mapping[str, Any], job: str) -> dict[str, Node]:
    """The job's nodes that its outputs need, by their ids, as the queue has them; empty: it has no such job."""
    items = [*_items(queue.get("queue_running")), *_items(queue.get("queue_pending"))]
    found = next((item for item in items if _id(item) == job and len(item) > 4), None)
    if found is None:
        return {}
    graph = {number: _node(each) for number, each in as_table(found[2]).items()}
    needed = with_sources(graph, as_list(found[4]))
    return {number: node for number, node in graph.items() if number in needed}


def with_sources(graph: Mapping[str, Node], numbers: Iterable[Any]) -> set[str]:
    """These nodes of the graph, and all that something of theirs comes from."""
    found: set[str] = set()
    left = list(numbers)
    while left:
        number = left.pop()
        if isinstance(number, str) and number in graph and number not in found:
            found.add(number)
            left += graph[number].sources
    return found


def interrupts_one(stats: Mapping[str, Any]) -> bool:
    """True where that version, which it states of itself, interrupts the one job that is named, and no other."""
    version = str(as_table(stats.get("system")).get("comfyui_version"))
    parts = version.removeprefix("v").split(".")
    return all(part.isascii() and part.isdigit() for part in parts) and [*map(int, parts)] >= _INTERRUPTS_ONE


def checkpoints(nodes: Mapping[str, Any]) -> list[str]:
    """The names of the checkpoints that the loader's description lists, in whichever of its two forms."""
    required = as_table(as_table(as_table(nodes.get("CheckpointLoaderSimple")).get("input")).get("required"))
    described: list[Any] = as_list(required.get("ckpt_name"))
    listed = as_list(next(iter(described), None)) or as_list(as_table(next(iter(described[1:]), None)).get("options"))
    return [name for name in listed if isinstance(name, str) and is_name(name)]


def problems(refusal: Mapping[str, Any]) -> str:
    """The faults of nodes' inputs, in a refusal's own words; empty: it names none."""
    said: list[str] = []
    for node in as_table(refusal.get("node_errors")).values():
        for error in as_list(as_table(node).get("errors")):
            words = (as_table(node).get("class_type"), as_table(error).get("message"), as_table(error).get("details"))
            said.append(": ".join(word for word in words if isinstance(word, str) and word))
    return clean("; ".join(said[:3]))


def is_name(name: str) -> bool:
    """True where it can be a file's name: of a bearable length, printable, and with no key in it."""
    return len(name) <= MAX_NAME and name.isprintable() and REDACTED not in name


def as_table(value: Any) -> dict[str, Any]:
    """The object, or an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The list, or an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def _pictures(output: Any) -> Iterator[dict[str, str]]:
    for picture in as_list(as_table(output).get("images")):
        known = as_table(picture)
        place = {key: known.get(key, usual) for key, usual in (("filename", ""), ("subfolder", ""), ("type", "output"))}
        if place["filename"] and all(isinstance(value, str) and is_name(value) for value in place.values()):
            yield place


def _reason(status: Mapping[str, Any]) -> str:
    """The reason why a job failed: without the traceback, which shows the paths of that machine."""
    for message in reversed(as_list(status.get("messages"))):
        kind, about = (*as_list(message)[:2], None, None)[:2]
        if kind == "execution_interrupted":
            return _INTERRUPTED
        if kind == "execution_error":
            words = (as_table(about).get("node_type"), as_table(about).get("exception_message"))
            return clean(": ".join(word for word in words if isinstance(word, str) and word)) or NO_REASON
    return NO_REASON


def _node(value: Any) -> Node:
    links = (as_list(each) for each in as_table(as_table(value).get("inputs")).values())
    return Node(clean(str(as_table(value).get("class_type")), 40), tuple(str(link[0]) for link in links if link))


def _in_order(number: str) -> tuple[int, str]:
    return (int(number), "") if number.isascii() and number.isdigit() and len(number) < 18 else (2**60, number)


def _items(value: Any) -> list[list[Any]]:
    return [as_list(item) for item in as_list(value)]


def _id(item: list[Any]) -> Any:
    return item[1] if len(item) > 1 else None


def _number(item: list[Any]) -> float:
    first = item[0] if item else 0
    return first if isinstance(first, int | float) else 0

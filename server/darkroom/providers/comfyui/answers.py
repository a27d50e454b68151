"""ComfyUI's answers: its history, its queue, its nodes, and why it refuses a workflow."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from darkroom.models import MAX_COUNT, ImageStatus
from darkroom.providers.base import NO_REASON, Reading, RemoteImage
from darkroom.redact.secrets import REDACTED
from darkroom.redact.text import clean

MAX_NAME = 300
_INTERRUPTED = "it was interrupted in ComfyUI"


def finished(entry: Any) -> Reading:
    """The end of a job as the history has it."""
    status = as_table(as_table(entry).get("status"))
    failed = status.get("status_str") == "error"
    outputs = as_table(as_table(entry).get("outputs"))
    places = [place for number in sorted(outputs, key=_in_order) for place in _pictures(outputs[number])]
    # A workflow may show previews besides what it saves; they go with ComfyUI's next start.
    kept = [place for place in places if place["type"] == "output"] or places
    return Reading(done=True, images=images(kept), error=_reason(status) if failed else None)


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


def kinds(queue: Mapping[str, Any], job: str) -> dict[str, str]:
    """The kinds of the job's nodes by their ids, as the queue has them; empty: it has no such job."""
    items = [*_items(queue.get("queue_running")), *_items(queue.get("queue_pending"))]
    found = next((item for item in items if _id(item) == job and len(item) > 2), None)
    graph = as_table(found[2]) if found is not None else {}
    return {node: clean(str(as_table(each).get("class_type")), 40) for node, each in graph.items()}


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


def _in_order(number: str) -> tuple[int, str]:
    return (int(number), "") if number.isascii() and number.isdigit() and len(number) < 18 else (2**60, number)


def _items(value: Any) -> list[list[Any]]:
    return [as_list(item) for item in as_list(value)]


def _id(item: list[Any]) -> Any:
    return item[1] if len(item) > 1 else None


def _number(item: list[Any]) -> float:
    first = item[0] if item else 0
    return first if isinstance(first, int | float) else 0

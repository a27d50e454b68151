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
    status = _table(_table(entry).get("status"))
    failed = status.get("status_str") == "error"
    outputs = _table(_table(entry).get("outputs"))
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


def checkpoints(nodes: Mapping[str, Any]) -> list[str]:
    """The names of the checkpoints that the loader's description lists, in whichever of its two forms."""
    required = _table(_table(_table(nodes.get("CheckpointLoaderSimple")).get("input")).get("required"))
    described: list[Any] = _list(required.get("ckpt_name"))
    listed = _list(next(iter(described), None)) or _list(_table(next(iter(described[1:]), None)).get("options"))
    return [name for name in listed if isinstance(name, str) and is_name(name)]


def problems(refusal: Mapping[str, Any]) -> str:
    """The faults of nodes' inputs, in a refusal's own words; empty: it names none."""
    said: list[str] = []
    for node in _table(refusal.get("node_errors")).values():
        for error in _list(_table(node).get("errors")):
            words = (_table(node).get("class_type"), _table(error).get("message"), _table(error).get("details"))
            said.append(": ".join(word for word in words if isinstance(word, str) and word))
    return clean("; ".join(said[:3]))


def is_name(name: str) -> bool:
    """True where it can be a file's name: of a bearable length, printable, and with no key in it."""
    return len(name) <= MAX_NAME and name.isprintable() and REDACTED not in name


def _pictures(output: Any) -> Iterator[dict[str, str]]:
    for picture in _list(_table(output).get("images")):
        known = _table(picture)
        place = {key: known.get(key, usual) for key, usual in (("filename", ""), ("subfolder", ""), ("type", "output"))}
        if place["filename"] and all(isinstance(value, str) and is_name(value) for value in place.values()):
            yield place


def _reason(status: Mapping[str, Any]) -> str:
    """The reason why a job failed: without the traceback, which shows the paths of that machine."""
    for message in reversed(_list(status.get("messages"))):
        kind, about = (*_list(message)[:2], None, None)[:2]
        if kind == "execution_interrupted":
            return _INTERRUPTED
        if kind == "execution_error":
            words = (_table(about).get("node_type"), _table(about).get("exception_message"))
            return clean(": ".join(word for word in words if isinstance(word, str) and word)) or NO_REASON
    return NO_REASON


def _in_order(number: str) -> tuple[int, str]:
    return (int(number), "") if number.isascii() and number.isdigit() and len(number) < 18 else (2**60, number)


def _items(value: Any) -> list[list[Any]]:
    return [_list(item) for item in _list(value)]


def _id(item: list[Any]) -> Any:
    return item[1] if len(item) > 1 else None


def _number(item: list[Any]) -> float:
    first = item[0] if item else 0
    return first if isinstance(first, int | float) else 0


def _table(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []

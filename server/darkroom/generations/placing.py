"""Which of a generation's pictures is which: by the provider's own ids where it gives any, else by their order."""

from collections.abc import Sequence

from darkroom.models import Image, ImageStatus
from darkroom.providers.base import RemoteImage


def placed(known: Sequence[Image], seen: Sequence[RemoteImage], promised: int) -> tuple[RemoteImage, ...]:
    """What was seen, each under the number that its picture has, or gets now; one for which there is none is left out.

    `promised`: how many were asked for.
    """
    by_id = {image.remote_id: image.index for image in known if image.remote_id is not None}
    found: dict[int, RemoteImage] = {}
    new: list[RemoteImage] = []
    for remote in seen:
        index = by_id.get(remote.remote_id or "")
        if index is None:
            new.append(remote)
        else:
            found.setdefault(index, remote)
    named = {image.index for image in known if image.remote_id is not None}
    saved = {image.index for image in known if image.status is ImageStatus.SUCCEEDED} & named
    free = [index for index in range(1, max(promised, len(seen)) + 1) if index not in found and index not in saved]
    # A number is given away last whose own picture may come back.
    free.sort(key=lambda index: index in named)
    used: set[str] = set()
    for remote in new:
        if remote.remote_id is not None:
            if remote.remote_id in used:
                continue
            used.add(remote.remote_id)
        index = remote.index if remote.index in free and remote.index not in named else next(iter(free), None)
        if index is not None:
            free.remove(index)
            found[index] = remote
    return tuple(found[index].model_copy(update={"index": index}) for index in sorted(found))

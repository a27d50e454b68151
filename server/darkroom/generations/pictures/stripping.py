"""Takes the notes out of a picture, for who asked for that (`DARKROOM_NOTES=strip`), and says what it took."""

from darkroom.generations.pictures.decoding import Whole
from darkroom.generations.pictures.formats import notes, statement
from darkroom.generations.pictures.formats.parts import Part, Role

MOST_NAMED = 8
UNTOUCHED = "nothing, since its C2PA statement covers every byte"


def stripped(picture: Whole, data: bytes) -> tuple[bytes, str | None]:
    """The file `data` without notes but its orientation and the labels of an AI's picture; and what was taken out.

    A file with a statement of where it comes from (C2PA) that is about these very bytes is left as it came.
    """
    spared = {id(part): _spared(picture, part) for part in picture.parts}
    removed = [
        part.name for part in picture.parts if part.name and (part.role is Role.PIXELS or spared[id(part)] != part.raw)
    ]
    if not removed:
        return data, None
    store = b"".join(part.body for part in picture.parts if part.role is Role.STATEMENT)
    if store and statement.holds(store, data):
        return data, UNTOUCHED
    kept = [raw for part in picture.parts if (raw := spared[id(part)])]
    names = list(dict.fromkeys(removed))
    said = ", ".join(names[:MOST_NAMED]) + (", and more" if len(names) > MOST_NAMED else "")
    return picture.kind.joined(kept), said


def _spared(picture: Whole, part: Part) -> bytes | memoryview:
    """The rest of a part that stays; b"" where that is nothing."""
    match part.role:
        case Role.EXIF | Role.XMP:
            reduce = notes.of_exif if part.role is Role.EXIF else notes.of_xmp
            short = reduce(bytes(part.body))
            if short is None:
                return b""
            return part.raw if short == part.body else picture.kind.note(part.role, short)
        case Role.TEXT if notes.is_label(bytes(part.body)):
            return part.raw
        case Role.TEXT | Role.REST:
            return b""
        case _:
            return part.raw

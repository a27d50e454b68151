"""Takes the notes out of a picture, for those who asked for that (`DARKROOM_NOTES=strip`), and says what it took."""

from darkroom.generations.pictures.decoding import Whole
from darkroom.generations.pictures.formats import notes, statement
from darkroom.generations.pictures.formats.parts import MAX_NOTE, Part, Role
from darkroom.generations.pictures.formats.stretch import Piece, Stretch

MOST_NAMED = 8
_READ = {Role.EXIF, Role.XMP, Role.TEXT}
UNTOUCHED = "nothing, since its C2PA statement covers every byte"


def stripped(picture: Whole, data: Stretch) -> tuple[list[Piece] | None, str | None]:
    """The file `data` without notes but its orientation and the labels of an AI's picture; and what was taken out.

    None is all of it: a file with a statement of where it comes from (C2PA) that is about these very bytes, too.
    """
    spared = [_spared(picture, part) for part in picture.parts]
    removed = [
        part.name
        for part, rest in zip(picture.parts, spared, strict=True)
        if part.name and (part.role is Role.PIXELS or rest is not part.raw)
    ]
    if not removed:
        return None, None
    store = b"".join(bytes(part.body) for part in picture.parts if part.role is Role.STATEMENT)
    if store and statement.holds(store, data):
        return None, UNTOUCHED
    names = list(dict.fromkeys(removed))
    said = ", ".join(names[:MOST_NAMED]) + (", and more" if len(names) > MOST_NAMED else "")
    return picture.kind.joined([rest for rest in spared if rest]), said


def _spared(picture: Whole, part: Part) -> Piece:
    """The rest of a part that stays; b"" where that is nothing."""
    body = bytes(part.body[: MAX_NOTE + 1]) if part.role in _READ else b""
    match part.role:
        case Role.EXIF | Role.XMP:
            short = notes.of_exif(body) if part.role is Role.EXIF else notes.of_xmp(body)
            if short is None:
                return b""
            return part.raw if short == body else picture.kind.note(part.role, short)
        case Role.TEXT if notes.is_label(body):
            return part.raw
        case Role.TEXT | Role.REST:
            return b""
        case _:
            return part.raw

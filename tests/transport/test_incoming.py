"""Bytes on their way into a file: a key is found in them wherever they are cut, before it is whole on the disk."""

import io

import pytest

from darkroom.errors import ResultUnavailable, StorageError
from darkroom.redact.secrets import Redactor
from darkroom.transport.incoming import IncomingPicture

KEY = "nsk_live_4f9aC27b81E0d653"
AROUND = bytes(1000)


def refused(error: OSError) -> StorageError:
    return StorageError(str(error), next_step="")


def write(into: IncomingPicture, *pieces: bytes) -> None:
    for piece in pieces:
        into.write(piece)


@pytest.mark.parametrize("cut", range(len(KEY) + 1))
def test_a_key_that_comes_in_two_pieces_is_found_and_never_whole_in_the_file(cut: int) -> None:
    file = io.BytesIO()
    into = IncomingPicture(file, refused, Redactor([KEY]))
    data, middle = AROUND + KEY.encode() + AROUND, len(AROUND) + cut
    with pytest.raises(ResultUnavailable, match="holds a key of yours"):
        write(into, data[:middle], data[middle:])
    assert KEY.encode() not in file.getvalue()


@pytest.mark.parametrize("secrets", [[], [KEY]])
async def test_everything_else_is_written_as_it_came(secrets: list[str]) -> None:
    into = IncomingPicture(io.BytesIO(), refused, Redactor(secrets))
    data = bytes(range(256)) * 4000
    for at in range(0, len(data), 1000):
        await into.take(data[at : at + 1000])
    assert into.whole().read() == data
    assert into.size == len(data)

"""The line of each key in a TOML file: the standard library's parser gives values without their lines."""

import re
from collections import Counter
from collections.abc import Mapping

Path = tuple[str | int, ...]
_TOKEN = re.compile(
    r'(?P<text>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r"|(?P<skip>[ \t\r]+|#[^\n]*)|(?P<sign>\n|[\[\]{}=,.])|(?P<bare>(?:\d{4}-\d\d-\d\d (?=\d))?[^\s#\[\]{}=,.]+)",
    re.DOTALL,
)


def lines_in(text: str) -> Mapping[Path, int]:
    """The line, counted from 1, of each table, key and element of a list, by its path; `text` is sound TOML."""
    return _Reader(text).read()


def line_of(lines: Mapping[Path, int], where: Path) -> int | None:
    """The line of this path, or of the nearest part of it that is in the file; None: no part of it is."""
    return next((lines[where[:end]] for end in range(len(where), 0, -1) if where[:end] in lines), None)


class _Reader:
    """Walks through the tokens once; `_at` is the next of them."""

    def __init__(self, text: str) -> None:
        self._found: dict[Path, int] = {}
        self._tokens: list[tuple[str, bool, int]] = []
        self._at = 0
        line = 1
        for each in _TOKEN.finditer(text):
            if each.lastgroup != "skip":
                self._tokens.append((each[0], each.lastgroup == "sign", line))
            line += each[0].count("\n")

    def read(self) -> Mapping[Path, int]:
        """The lines by path."""
        table: Path = ()
        counts: Counter[Path] = Counter()
        while self._at < len(self._tokens):
            if self._skip("\n"):
                continue
            if self._skip("["):
                several = self._skip("[")
                table = self._header(counts, several=several)
            else:
                self._pair(table)
        return self._found

    def _header(self, counts: Counter[Path], *, several: bool) -> Path:
        line, path = self._line(), self._numbered(self._key(), counts, several=several)
        if several:
            counts[path] += 1
            path = (*path, counts[path] - 1)
        self._found.setdefault(path, line)
        while self._skip("]"):
            pass
        return path

    def _numbered(self, key: Path, counts: Counter[Path], *, several: bool) -> Path:
        """The key with the number of the newest element behind each list of tables in it."""
        path: Path = ()
        for part in key:
            path = (*path, part)
            if path in counts and not (several and len(path) == len(key)):
                path = (*path, counts[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = (*table, *self._key())
        self._found.setdefault(path, line)
        self._skip("=")
        self._value(path)

    def _key(self) -> Path:
        parts = [self._take()]
        while self._skip("."):
            parts.append(self._take())
        return tuple(part[1:-1] if part[0] in "\"'" else part for part in parts)

    def _value(self, path: Path) -> None:
        if self._skip("["):
            self._list(path)
        elif self._skip("{"):
            while not self._skip("}"):
                if not (self._skip(",") or self._skip("\n")):
                    self._pair(path)
        else:
            self._take()
            while self._skip("."):  # a number with a fraction
                self._take()

    def _list(self, path: Path) -> None:
        number = 0
        while not self._skip("]"):
            if self._skip(",") or self._skip("\n"):
                continue
            self._found.setdefault((*path, number), self._line())
            self._value((*path, number))
            number += 1

    def _line(self) -> int:
        return self._tokens[self._at][2]

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][0]

    def _skip(self, sign: str) -> bool:
        is_it = self._at < len(self._tokens) and self._tokens[self._at][:2] == (sign, True)
        self._at += is_it
        return is_it

"""HTML put together of elements, so that no text in it can be taken for markup."""

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, tostring

Part = Element | str | None


def element(tag: str, *parts: Part, kind: str = "", **attributes: str) -> Element:
    """An element with these parts in it. `kind`: its class. Of an attribute's name, `_` stands for a hyphen."""
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    made = Element(tag, {"class": kind, **named} if kind else named)
    for part in parts:
        if isinstance(part, Element):
            made.append(part)
        elif part is not None:
            _say(made, part)
    return made


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[Part]], note: str = "") -> Element:
    """A section with a table; each cell names its column too, for screens that have no room for a head."""
    # A table that a narrow screen is shown as blocks is one to screen readers by these roles alone.
    head = element("tr", *(element("th", name, role="columnheader", scope="col") for name in heads), role="row")
    body = [element("tr", *map(_cell, heads, row), role="row") for row in rows]
    shown = element(
        "table", element("thead", head, role="rowgroup"), element("tbody", *body, role="rowgroup"), role="table",
        aria_label=title,
    )  # fmt: skip
    empty = element("p", "None.", kind="empty")
    more = element("p", note, kind="empty") if note else None
    return element("section", element("h2", title), shown if body else empty, more)


def document(title: str, style: str, main: Element) -> bytes:
    """The whole document."""
    viewport = {"name": "viewport", "content": "width=device-width, initial-scale=1"}
    head = element("head", element("meta", charset="utf-8"), element("meta", **viewport), element("title", title))
    head.append(element("style", style))
    return b"<!doctype html>\n" + tostring(element("html", head, element("body", main), lang="en"), "utf-8", "html")


def _cell(head: str, part: Part) -> Element:
    return element("td", "–" if part is None or part == "" else part, role="cell", data_label=head)


def _say(made: Element, text: str) -> None:
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text

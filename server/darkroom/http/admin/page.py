"""The page that operators see, and the form that lets them in, in the look of the gallery."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import Element

from darkroom.extensions.gallery import PARTS
from darkroom.http.admin.elements import Part, document, element, table
from darkroom.http.admin.overview import GenerationSeen, Overview, ProcessSeen, QueueSeen, TenantSeen
from darkroom.store.survey import MOST_COUNTED, MOST_ENDED, MOST_SHOWN
from darkroom.tenants import LOCAL

PATH = "/admin"
STYLE = "\n".join(file.read_text("utf-8") for file in (PARTS / "style.css", Path(__file__).with_name("style.css")))
POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The page's own style; no script, picture or frame at all."""
REASONS = {
    "invalid_request": "the request could not be meant",
    "not_configured": "there is no key for it here",
    "unauthorized": "the provider refuses the key",
    "payment_required": "the account has too few credits",
    "plan_required": "the account's plan does not include it",
    "moderated": "the provider's safety review refused it",
    "rate_limited": "the provider or a budget says: later",
    "provider_unreachable": "no request reached the provider",
    "provider_error": "the provider failed",
    "outcome_unknown": "nobody knows whether the provider took it",
    "cancelled": "it was asked to stop",
    "expired": "the provider no longer has it",
    "timed_out": "it was not done within its deadline",
    "not_found": "there is no such thing",
    "result_unavailable": "its pictures cannot be had",
    "not_an_image": "no picture came",
    "storage_error": "the disk or the ledger refused",
    "deleted": "a person deleted it",
}
"""Words for each code of an error: the error's own words may quote a caller or a provider."""
OLDER_TENANTS = (
    "The tenants file cannot be used as it is now: the tenants are those that it had before. The log says why."
)
QUEUES = ("Provider", "Key", "Waiting", "Under way", "Oldest waits", "Submissions")
UNDER_WAY = ("Generation", "Tenant", "Provider", "State", "Since")
FAILED = ("Generation", "Tenant", "Provider", "Why", "Charged", "When")
TENANTS = ("Tenant", "Submissions today", "Spent today", "At a time", "Stored")
PROCESSES = ("Process", "State", "Last sign", "Drives")


def page(seen: Overview) -> bytes:
    """The overview."""
    main = element("main", _film(seen), _bar(seen), kind="admin")
    main.extend(_sections(seen))
    return document("Darkroom: operator", STYLE, main)


def entrance(note: str = "") -> bytes:
    """The form that takes the token. `note`: what went wrong."""
    field = element(
        "input", type="password", name="token", id="token", autocomplete="current-password", required="", autofocus=""
    )  # fmt: skip
    form = element(
        "form", element("label", "The operators' token", for_="token"), field, _button("Sign in"), kind="entrance",
        method="post", action=PATH,
    )  # fmt: skip
    return document("Darkroom: sign in", STYLE, element("main", _strip("Operator"), _alarm(note), form, kind="admin"))


def notice(text: str) -> bytes:
    """A page that says no more than this."""
    return document("Darkroom: operator", STYLE, element("main", _strip("Operator"), _alarm(text), kind="admin"))


def _film(seen: Overview) -> Element:
    """The head of the page: the figures that tell whether to read on."""
    running = sum(process.state != "gone" for process in seen.processes or ())
    figures = (
        (sum(queue.waiting for queue in seen.queues), "waiting", "waiting"),
        (sum(queue.under_way for queue in seen.queues), "under way", "under way"),
        (len(seen.failed), "recent failure", "recent failures"),
        (running, "process", "processes"),
    )
    frames = (
        element("li", element("b", str(number)), f" {one if number == 1 else many}") for number, one, many in figures
    )
    return _strip(f"{seen.at:%Y-%m-%d %H:%M:%S} UTC", element("ul", *frames, kind="figures"))


def _strip(facts: str, figures: Element | None = None) -> Element:
    """A strip of film, as the gallery has it."""
    hole = element("rect", x="6.5", y="7", width="11", height="8", rx="2")
    pattern = element("pattern", hole, id="perforation", width="24", height="22", patternUnits="userSpaceOnUse")
    defs = element("svg", element("defs", pattern), kind="away", aria_hidden="true")
    edge = element("h1", element("span", "Darkroom", kind="number"), element("span", facts, kind="facts"), kind="edge")
    return element("div", defs, _holes(), element("div", edge, figures, kind="exposed"), _holes(), kind="film")


def _holes() -> Element:
    return element("svg", element("rect", width="100%", height="100%"), kind="holes", aria_hidden="true")


def _bar(seen: Overview) -> Element:
    leave = element("form", _button("Sign out", name="leave", value="yes"), method="post", action=PATH)
    trouble = None if seen.written_to else _alarm("The ledger could not be written to just now. The log says why.")
    older = _alarm(OLDER_TENANTS) if seen.tenants_file_refused else None
    return element("div", element("a", "Refresh", kind="plain", href=PATH), leave, trouble, older, kind="buttons")


def _button(text: str, **attributes: str) -> Element:
    return element("button", text, kind="plain", type="submit", **attributes)


def _alarm(text: str) -> Element | None:
    return element("p", text, kind="alarm", role="alert") if text else None


def _sections(seen: Overview) -> Iterator[Element]:
    some = "" if seen.queues_are_complete else f"Only {MOST_COUNTED:,} generations were counted."
    oldest = f"The oldest {MOST_SHOWN}." if len(seen.under_way) == MOST_SHOWN else ""
    last = f"At most {MOST_SHOWN}, of the {MOST_ENDED:,} that ended last."
    longest = f"The {MOST_SHOWN} longest." if len(seen.queues) == MOST_SHOWN else ""
    yield table("Queues", QUEUES, map(_queue, seen.queues), f"{longest} {some}".strip())
    yield table("Under way", UNDER_WAY, (_under_way(each, seen.at) for each in seen.under_way), oldest)
    yield table("Recent failures", FAILED, (_failed(each, seen.at) for each in seen.failed), last)
    part = (
        f"{len(seen.tenants)} of {seen.tenants_in_all:,}, by name." if len(seen.tenants) < seen.tenants_in_all else ""
    )
    yield table("Tenants", TENANTS, map(_tenant, seen.tenants), part)
    if seen.more_tenants_after is not None:
        yield element("a", "More tenants", kind="plain", href=f"{PATH}?after={seen.more_tenants_after}")
    if seen.processes is not None:
        yield table("Processes", PROCESSES, map(_process, seen.processes))


def _queue(queue: QueueSeen) -> tuple[Part, ...]:
    waits = None if queue.oldest_wait_s is None else duration(queue.oldest_wait_s)
    closed = queue.closed_for_s is not None
    takes = _state("closed", f"closed for {duration(queue.closed_for_s or 0.0)}") if closed else _state("open", "open")
    return queue.provider, _code(queue.account), str(queue.waiting), str(queue.under_way), waits, takes


def _under_way(row: GenerationSeen, now: datetime) -> tuple[Part, ...]:
    state = _state(row.state.replace(" ", "-"), row.state)
    if row.process is not None:
        state = element("span", state, ", ", _state(row.process, f"its process is {row.process}"))
    return _code(row.id), row.tenant, f"{row.provider} {row.model}".strip(), state, _ago(row.since, now)


def _failed(row: GenerationSeen, now: datetime) -> tuple[Part, ...]:
    code = row.code or ""
    why = _state("failed", code, f": {REASONS[code]}" if code in REASONS else "")
    made = f"{row.provider} {row.model}".strip()
    return _code(row.id), row.tenant, made, why, row.charged, _ago(row.since, now)


def _tenant(tenant: TenantSeen) -> tuple[Part, ...]:
    return (
        "local (the server's own user)" if tenant.name == LOCAL else tenant.name,
        _of(str(tenant.submissions_today), tenant.submissions_per_day),
        _of(" + ".join(tenant.money_today) or "0", tenant.money_per_day),
        "no limit" if tenant.active is None else f"at most {tenant.active}",
        _of(_size(tenant.stored_bytes), tenant.stored_bytes_at_most and _size(tenant.stored_bytes_at_most)),
    )


def _process(process: ProcessSeen) -> tuple[Part, ...]:
    name = element("span", _code(process.id), " (this one)" if process.this_one else None)
    seen = None if process.seen_s_ago is None else f"{duration(process.seen_s_ago)} ago"
    return name, _state(process.state, process.state), seen, str(process.drives)


def _state(kind: str, *words: str) -> Element:
    """A state, told by a mark of its own shape and by words."""
    return element("span", element("i", kind="mark", data_state=kind, aria_hidden="true"), *words, kind="state")


def _code(text: str) -> Element:
    return element("code", text)


def _of(used: str, limit: object) -> str:
    return used if limit is None else f"{used} of {limit}"


def _size(number: int) -> str:
    return f"{number / 10**6:,.1f} MB"


def _ago(since: datetime, now: datetime) -> Element:
    shown = f"{duration((now - since).total_seconds())} ago"
    return element("time", shown, datetime=since.isoformat(), title=f"{since:%Y-%m-%d %H:%M:%S} UTC")


def duration(seconds: float) -> str:
    """As people say it, in one unit: `12 s`, `3 min`, `5 h`, `2 d`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"

"""The part of `setup` about keys: asked for without echo, tried, and kept."""

import sys
from typing import Literal

from anyio import to_thread

from darkroom.cli.commands.provider.asking import answer, secret
from darkroom.cli.commands.results import tell
from darkroom.cli.commands.setup.pasted import bare
from darkroom.cli.commands.setup.services import Offer
from darkroom.cli.commands.setup.trying import tried
from darkroom.errors import DarkroomError, InvalidRequest
from darkroom.keys import keeping, record
from darkroom.models import Sparse
from darkroom.settings import Settings

ATTEMPTS = 3


class KeyDone(Sparse):
    """One service's key, and the outcome. `place`: where it is kept, or was; absent: nowhere."""

    name: str
    done: Literal["kept", "forgotten", "not kept", "failed"]
    dry_run: bool | None = None
    """True where it was not done, but would be."""
    place: str | None = None
    tried: str | None = None
    error: str | None = None

    @property
    def line(self) -> str:
        """The same for a person."""
        place = "the system's keychain" if self.place == "keychain" else self.place
        where = f" ({place})" if place else ""
        said = " ".join(filter(None, [self.tried, self.error]))
        would = "would be " if self.dry_run and self.done in {"kept", "forgotten"} else ""
        return f"{self.name}: {would}{self.done}{where}{f'. {said}' if said else ''}"


async def keep(settings: Settings, offer: Offer, *, dry: bool) -> KeyDone:
    """Asks for the service's key, tries it and keeps it."""
    if dry:
        return KeyDone(name=offer.name, done="kept", dry_run=True, tried=f"It comes from {offer.where}.")
    refusal = ""
    try:
        for attempt in range(ATTEMPTS):
            key = bare(await _asked_for(settings, offer, again=attempt > 0))
            if not key:
                return KeyDone(name=offer.name, done="not kept", error="No key was given.")
            found = await tried(settings, offer.name, key)
            if found.outcome in {"works", "not tried"}:
                kept = await to_thread.run_sync(keeping.keep, settings.home, offer.name, key)
                said = f"{'' if found.outcome == 'works' else 'Not tried: '}{found.why}"
                return KeyDone(name=offer.name, done="kept", place=_place(settings, kept), tried=said)
            refusal = found.why if found.outcome == "no key" else f"{offer.title} refuses this key. {found.why}"
            if not sys.stdin.isatty():
                break
            tell(refusal)
    except DarkroomError as error:
        return KeyDone(name=offer.name, done="failed", error=f"{error.message} {error.next_step}")
    return KeyDone(name=offer.name, done="not kept", error=refusal)


async def forget(settings: Settings, name: str, *, dry: bool) -> KeyDone:
    """Takes the service's key out of the place where it is kept."""
    try:
        if dry:
            kept = {each.name: each for each in record.read(settings.home)}.get(name)
        else:
            kept = await to_thread.run_sync(keeping.forget, settings.home, name)
    except DarkroomError as error:
        return KeyDone(name=name, done="failed", error=f"{error.message} {error.next_step}")
    if kept is None:
        return KeyDone(name=name, done="not kept", error="There was no key of it.")
    return KeyDone(name=name, done="forgotten", dry_run=dry or None, place=_place(settings, kept))


async def _asked_for(settings: Settings, offer: Offer, *, again: bool) -> str:
    """The key: as the environment of this command has it, as a person types it, or the next line of the input."""
    account = settings.accounts.get(offer.name)
    kept = offer.name in {each.name for each in record.read(settings.home)}
    if account is not None and account.key and not kept and not again:
        tell(f"{offer.title}: the key in this environment is taken, which hosts do not see.")
        return account.key
    if sys.stdin.isatty():
        tell(f"{offer.title}: its keys come from {offer.where}")
        return await secret(f"Key of {offer.title} (it is not shown; Enter: none): ")
    key = await answer("")
    if not key:
        raise InvalidRequest(
            f"There is no key of {offer.name}: nobody can be asked here.",
            next_step=f"Set {offer.variable}, or write the key to standard input, a line for each --service.",
        )
    return key


def _place(settings: Settings, kept: record.Kept) -> str:
    return kept.place if kept.place == "keychain" else str(settings.home / record.FILE)

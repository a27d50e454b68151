"""`setup`: asks what nobody said by an option, and then does each part: one that fails leaves the others done."""

import argparse
import os
import sys
from collections.abc import Sequence

from darkroom.cli.commands.command import DONE, FAILED, Command
from darkroom.cli.commands.provider.asking import agreed, answer
from darkroom.cli.commands.results import print_result, tell
from darkroom.cli.commands.setup import hosts, keys
from darkroom.cli.commands.setup.hosts import NAMED, HostDone
from darkroom.cli.commands.setup.keys import KeyDone
from darkroom.cli.commands.setup.services import Offer, offer_of, offers
from darkroom.cli.commands.setup.shown import show_hosts, show_offers
from darkroom.errors import InvalidRequest
from darkroom.hosts.known import HOSTS, Host
from darkroom.hosts.machine import Machine
from darkroom.hosts.settings_file import look
from darkroom.keys import record
from darkroom.models import Sparse
from darkroom.settings import Settings


class _Done(Sparse):
    """All that was done."""

    services: tuple[KeyDone, ...] = ()
    hosts: tuple[HostDone, ...] = ()


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("--yes", action="store_true", help="do not ask: every host that is found here")
    command.add_argument(
        "--host", action="append", default=[], choices=tuple(NAMED), metavar="NAME",
        help=f"one of {', '.join(NAMED)}; may come again",
    )  # fmt: skip
    command.add_argument(
        "--service", action="append", default=[], metavar="NAME", help="keep the key of this service; may come again"
    )
    command.add_argument("--remove", action="store_true", help="take Darkroom out of hosts, or forget services' keys")
    command.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    machine = Machine.here()
    named = [NAMED[name] for name in dict.fromkeys(arguments.host)]
    services = [offer_of(settings.home, name) for name in dict.fromkeys(arguments.service)]
    asks = not (named or services or arguments.yes or arguments.dry_run)
    if asks and not sys.stdin.isatty():
        raise _nobody_to_ask(settings, machine, remove=arguments.remove)
    if arguments.remove:
        done = await _removed(settings, machine, named, services, arguments)
    else:
        if asks:
            services = await _services(settings)
        kept = [await keys.keep(settings, offer, dry=arguments.dry_run) for offer in services]
        chosen = named or await _hosts(machine, asks=asks, every=arguments.yes or (arguments.dry_run and not services))
        entry = hosts.entry_here(os.environ.get("DARKROOM_HOME", "").strip() and str(settings.home))
        added = [hosts.add(host, machine, entry, dry=arguments.dry_run) for host in chosen]
        done = _Done(services=tuple(kept), hosts=tuple(added))
    return _reported(settings, done, arguments)


async def _services(settings: Settings) -> Sequence[Offer]:
    known = offers(settings.home)
    kept = {each.name for each in record.read(settings.home)}
    show_offers(list(known.values()), kept)
    while True:
        said = await answer(
            "Whose keys do you have? Names with spaces between them (Enter: none, sketches need none): "
        )
        try:
            return [offer_of(settings.home, name) for name in dict.fromkeys(said.lower().replace(",", " ").split())]
        except InvalidRequest as error:
            tell(f"{error.message} {error.next_step}")


async def _hosts(machine: Machine, *, asks: bool, every: bool) -> Sequence[Host]:
    if not asks and not every:
        return []
    found = hosts.found_here(machine)
    if not found:
        tell("No host was found here. --host NAME adds Darkroom to one nevertheless.")
    if not asks or not found:
        return [seen.host for seen in found]
    show_hosts(found)
    chosen: list[Host] = []
    for seen in found:
        if seen.problem is None and await agreed(
            f"Add Darkroom to {seen.host.title}?", otherwise="--yes", usually=True
        ):
            chosen.append(seen.host)
    return chosen


async def _removed(
    settings: Settings,
    machine: Machine,
    named: Sequence[Host],
    services: Sequence[Offer],
    arguments: argparse.Namespace,
) -> _Done:
    having = [host for host in HOSTS if look(host, machine).entry is not None]
    chosen = named or ([] if services and not arguments.yes else having)
    if chosen and not (named or arguments.yes or arguments.dry_run):
        titles = ", ".join(host.title for host in chosen)
        chosen = chosen if await agreed(f"Take Darkroom out of {titles}?", otherwise="--yes") else []
    forgotten = [await keys.forget(settings, offer.name, dry=arguments.dry_run) for offer in services]
    taken = [hosts.remove(host, machine, dry=arguments.dry_run) for host in chosen]
    return _Done(services=tuple(forgotten), hosts=tuple(taken))


def _reported(settings: Settings, done: _Done, arguments: argparse.Namespace) -> int:
    lines = [each.line for each in (*done.services, *done.hosts)] or ["There was nothing to do."]
    print_result(done, lines, as_json=arguments.json)
    if any(each.done in {"added", "updated", "removed"} and not each.dry_run for each in done.hosts):
        tell("Start these hosts again, so that they see it.")
    kept = [each.name for each in record.read(settings.home)] if arguments.remove else []
    if kept and not done.services:
        tell(f"Keys of {', '.join(kept)} are still kept; --remove --service NAME forgets one.")
    failed = any(each.done in {"failed", "not kept"} for each in (*done.services, *done.hosts))
    return FAILED if failed else DONE


def _nobody_to_ask(settings: Settings, machine: Machine, *, remove: bool) -> InvalidRequest:
    titles = ", ".join(seen.host.title for seen in hosts.found_here(machine)) or "none of the hosts that are known"
    if remove:
        return InvalidRequest(
            "Nobody can be asked here which hosts to take Darkroom out of.", next_step="Add --yes, or --host NAME."
        )
    return InvalidRequest(
        f"Nobody can be asked here. Services whose keys can be kept: {', '.join(offers(settings.home))}. "
        f"Hosts found: {titles}.",
        next_step="Run it in a terminal, or add --service NAME, --host NAME, or --yes for every host found.",
    )


SETUP = Command("setup", "keep services' keys, and add Darkroom to the hosts found here", _take, _run)

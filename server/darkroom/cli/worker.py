"""`worker`: drives what the ledger has, and serves nobody."""

import argparse

from darkroom.app.context import open_app
from darkroom.cli.commands.command import DONE
from darkroom.cli.ending import asked_to_end
from darkroom.cli.heaps import share_heaps
from darkroom.settings import Settings
from darkroom.tenants import Tenants

STANDS = "Driving what waits and runs in the ledger; a signal ends this, and others go on."


async def work(settings: Settings, arguments: argparse.Namespace) -> int:
    """Sends what waits and goes on with what others left, until a signal; a second one ends the process where it is.

    Raises:
        NotConfigured: the tenants file cannot be used.
        StorageError: the ledger cannot be used.
    """
    share_heaps()
    tenants = None if arguments.tenants is None else Tenants.read(arguments.tenants)
    async with asked_to_end() as end, open_app(settings, tenants=tenants):
        print(STANDS, flush=True)
        await end.wait()
    return DONE

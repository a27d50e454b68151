"""`gallery`: the gallery in a browser on this machine, for those whose host shows no pages."""

from darkroom.cli.commands.command import DONE
from darkroom.cli.ending import asked_to_end
from darkroom.http.gallery.served import serve_gallery
from darkroom.settings import Settings

STANDS = "The gallery is at this address, which lets in one browser, once. Ctrl-C ends it."


async def show_gallery(settings: Settings) -> int:
    """Serves until a signal asks to stop; a second one ends the process where it is.

    Raises:
        NotConfigured: there is no port.
        StorageError: the ledger cannot be used.
    """
    async with asked_to_end() as end:
        # The address is not opened from here: the arguments of a browser can be read by every user of the machine.
        await serve_gallery(settings, end, lambda address: print(STANDS, address, sep="\n", flush=True))
    return DONE

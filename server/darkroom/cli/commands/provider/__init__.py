"""`provider`: services that a file declares: checked, added, listed, tried once. For people: no tool does any of it."""

from darkroom.cli.commands.command import Commands
from darkroom.cli.commands.provider.check import CHECK

PROVIDER = Commands("provider", "services that a file declares: check, add, list and try them", (CHECK,))

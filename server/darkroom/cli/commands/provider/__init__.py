"""`provider`: services that a file declares: checked, added, listed, tried once. For people: no tool does any of it."""

from darkroom.cli.commands.command import Commands
from darkroom.cli.commands.provider.add import ADD
from darkroom.cli.commands.provider.check import CHECK
from darkroom.cli.commands.provider.list import LIST
from darkroom.cli.commands.provider.record import RECORD

PROVIDER = Commands("provider", "services that a file declares: check, add, try them", (CHECK, ADD, LIST, RECORD))

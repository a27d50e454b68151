"""The commands that a person runs, one file each: each opens the same ledger that the servers use."""

from collections.abc import Mapping

from darkroom.cli.commands.cancel import CANCEL
from darkroom.cli.commands.command import Command, Commands
from darkroom.cli.commands.generate import GENERATE
from darkroom.cli.commands.list import LIST
from darkroom.cli.commands.models import MODELS
from darkroom.cli.commands.provider import PROVIDER
from darkroom.cli.commands.status import STATUS
from darkroom.cli.commands.wait import WAIT

COMMANDS: Mapping[str, Command | Commands] = {
    command.name: command for command in (GENERATE, STATUS, CANCEL, WAIT, LIST, MODELS, PROVIDER)
}

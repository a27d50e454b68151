"""`tenant`: those whom a hosted Darkroom serves: added, listed, and what each spent. No tool does any of it."""

from darkroom.cli.commands.command import Commands
from darkroom.cli.commands.tenant.add import ADD
from darkroom.cli.commands.tenant.audit import AUDIT
from darkroom.cli.commands.tenant.list import LIST

TENANT = Commands("tenant", "who may ask a server over HTTP, and what each spent", (ADD, LIST, AUDIT))

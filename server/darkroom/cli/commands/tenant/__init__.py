"""`tenant`: those whom a hosted Darkroom serves: added, listed, audited, exported, deleted. No tool does any of it."""

from darkroom.cli.commands.command import Commands
from darkroom.cli.commands.tenant.add import ADD
from darkroom.cli.commands.tenant.audit import AUDIT
from darkroom.cli.commands.tenant.delete import DELETE
from darkroom.cli.commands.tenant.export import EXPORT
from darkroom.cli.commands.tenant.list import LIST

TENANT = Commands(
    "tenant", "tenants of a server over HTTP: add, list, audit, export, delete", (ADD, LIST, AUDIT, EXPORT, DELETE)
)

"""`setup`: keys of services kept for every host, and Darkroom added to the hosts that are found here. For people."""

from darkroom.cli.commands.setup.command import SETUP

__all__ = ["SETUP"]

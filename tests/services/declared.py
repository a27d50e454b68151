"""The service of the kit that a declaration describes, with this suite's users."""

from pathlib import Path
from typing import Self

import darkroom.providers
from darkroom.testing import Asked
from darkroom.testing import DeclaredService as Described
from darkroom.testing.service import KEY
from tests.hosts import Home

SHIPPED = Path(darkroom.providers.__file__).parent / "shipped"
__all__ = ["KEY", "SHIPPED", "Asked", "DeclaredService"]


class DeclaredService(Described):
    """The service of a declaration. `says`: its answers by table, in order; the last stays."""

    @classmethod
    def shipped(cls, name: str, **changes: str) -> Self:
        """The service of a shipped file, under its name with `-here` behind it, as a file that a person added."""
        text = (SHIPPED / f"{name}.toml").read_text("utf-8")
        for before, after in changes.items():
            text = text.replace(before, after)
        return cls(text)

    def home(self, home: Home, **extra: str) -> Home:
        """A user who added this file and has a key."""
        self.add_to(home.path / "home")
        return home.with_(**self.environ, **extra)

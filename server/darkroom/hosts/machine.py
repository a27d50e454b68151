"""The machine that hosts are looked for on: its platform, and the folders that programs keep their settings in."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from darkroom.errors import NotConfigured


@dataclass(frozen=True)
class Machine:
    """One user's machine. `platform`: as `sys.platform` says it."""

    platform: str
    home: Path
    environ: Mapping[str, str]

    @classmethod
    def here(cls) -> "Machine":
        """This one. Raises NotConfigured: this user has no home folder, which nearly every host's settings are in."""
        try:
            home = Path.home()
        except RuntimeError:
            home = Path()
        if not home.is_absolute():
            raise NotConfigured(
                "This user has no home folder (HOME names none), so settings of hosts cannot be found.",
                next_step="Set HOME and try again.",
            )
        return cls(sys.platform, home, os.environ)

    @property
    def windows(self) -> bool:
        """True on Windows."""
        return self.platform == "win32"

    @property
    def config(self) -> Path:
        """The folder for settings where a program follows XDG, as some do on every platform."""
        return self.named("XDG_CONFIG_HOME", self.home / ".config")

    @property
    def roaming(self) -> Path:
        """The same on Windows for one that follows XDG elsewhere only."""
        return self.named("APPDATA", self.home / "AppData" / "Roaming") if self.windows else self.config

    @property
    def support(self) -> Path:
        """The folder that the platform itself has for it."""
        return self.home / "Library" / "Application Support" if self.platform == "darwin" else self.roaming

    @property
    def local(self) -> Path:
        """The folder of packaged programs on Windows."""
        return self.named("LOCALAPPDATA", self.home / "AppData" / "Local")

    def named(self, variable: str, otherwise: Path) -> Path:
        """The folder that this variable names; `otherwise` where it names none."""
        text = self.environ.get(variable, "").strip()
        return Path(text) if text and Path(text).is_absolute() else otherwise

"""Builds the distributions, by a backend that is held to the lock's hashes, and the bundle, in dist/."""

import shutil
import subprocess
import sys

from dev import ARTIFACTS, without_secrets
from release import bundle
from release.described import ROOT
from release.locked import BIN, export

DIST = ROOT / "dist"


def main() -> int:
    """Builds everything anew; `server.json` is among it where pyproject.toml names an address."""
    backend = export("requirements.txt", ARTIFACTS / "build.txt", "--only-group=build")
    command = [str(BIN / "uv"), "build", "--clear", "--require-hashes", "--build-constraints", str(backend)]
    if (status := subprocess.run(command, cwd=ROOT, check=False, env=without_secrets()).returncode) != 0:
        return status
    if (entry := ROOT / "server.json").exists():
        shutil.copy(entry, DIST)
    return bundle.main([str(DIST)])


if __name__ == "__main__":
    sys.exit(main())

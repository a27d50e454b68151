"""Parts of uv.lock in other formats, written by the uv that is itself locked."""

import subprocess
import sys
from pathlib import Path

from dev import without_secrets

BIN = Path(sys.executable).parent


def export(form: str, path: Path, *options: str) -> Path:
    """Writes a part of uv.lock in another format."""
    path.parent.mkdir(exist_ok=True)
    project = [] if form.startswith("cyclonedx") else ["--no-emit-project"]
    command = [str(BIN / "uv"), "export", "--locked", "--quiet", f"--format={form}", *project, *options]
    subprocess.run([*command, "--output-file", str(path)], check=True, stdout=subprocess.DEVNULL, env=without_secrets())
    return path

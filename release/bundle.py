"""The MCP bundle: the source with its lock and manifest, which a host with uv starts as it is."""

import json
import py_compile
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from release.described import ICON, PROJECT, ROOT, SCREENSHOT
from release.manifests import bundle

_TIME = (1980, 1, 1, 0, 0, 0)
_MAIN = '''\
"""Starts the server where a host runs this file instead of the command of the manifest."""

import sys

from darkroom.__main__ import main

sys.exit(main())
'''


def main(words: list[str]) -> int:
    """Writes it into the folder that the first word names."""
    path = Path(words[0]) / f"{PROJECT['name']}-{PROJECT['version']}.mcpb"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(contents().items()):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    print(path)
    return 0


def contents() -> Mapping[str, bytes]:
    """The bytes of every file in it, by its name there."""
    house = ROOT / "server" / "darkroom"
    sources = [path for path in house.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {
        "manifest.json": json.dumps(bundle(), indent=2, ensure_ascii=False).encode() + b"\n",
        "pyproject.toml": _project().encode(),
        "server/main.py": _MAIN.encode(),
        ICON.name: ICON.read_bytes(),
        SCREENSHOT.name: SCREENSHOT.read_bytes(),
        **{name: (ROOT / name).read_bytes() for name in ("uv.lock", "README.md", "LICENSE")},
        **{path.relative_to(ROOT).as_posix(): path.read_bytes() for path in sources},
        **_bytecode([path for path in sources if path.suffix == ".py"]),
    }


def _project() -> str:
    """The project's file, by which uv installs nothing that only development needs."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    before, table, after = text.partition("[tool.uv]\n")
    return f"{before}{table}default-groups = []\n{after}"


def _bytecode(sources: list[Path]) -> dict[str, bytes]:
    """Bytecode for this Python, so that a first start does not make it; it is held against its source's hash."""
    found: dict[str, bytes] = {}
    with TemporaryDirectory() as folder:
        made = Path(folder) / "made.pyc"
        for source in sources:
            name = source.relative_to(ROOT)
            mode = py_compile.PycInvalidationMode.CHECKED_HASH
            py_compile.compile(str(source), str(made), name.as_posix(), doraise=True, invalidation_mode=mode)
            cached = name.parent / "__pycache__" / f"{name.stem}.{sys.implementation.cache_tag}.pyc"
            found[cached.as_posix()] = made.read_bytes()
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

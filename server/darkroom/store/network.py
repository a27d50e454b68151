"""Network file systems, on which two machines would not see each other's locks on one file."""

import os
import re
from pathlib import Path

from darkroom.errors import StorageError

MOUNTS = Path("/proc/self/mountinfo")  # Linux's; nothing like it is read elsewhere
_NETWORK = re.compile(
    r"nfs4?|cifs|smb3?|smbfs|afs|ceph|glusterfs|fuse\.(?:sshfs|rclone|s3fs|smbnetfs|glusterfs|ceph.*)"
)


def refuse_network(folder: Path) -> None:
    """Raises StorageError: the folder is on a network file system, which SQLite cannot be trusted on."""
    kind = _file_system(Path(os.path.realpath(folder)))
    if kind is not None and _NETWORK.fullmatch(kind):
        raise StorageError(
            f"{folder} is on a network file system ({kind}), where several processes would damage the ledger's file.",
            next_step="Set DARKROOM_HOME to a folder on a disk of this machine, or keep the ledger in PostgreSQL "
            "(DARKROOM_DATABASE_URL).",
        )


def _file_system(folder: Path) -> str | None:
    """The kind of the one that the folder is on; None: nobody knows."""
    try:
        lines = MOUNTS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    kinds: dict[Path, str] = {}
    for mount, _, source in (line.partition(" - ") for line in lines):
        place, kind = mount.split(" ")[4:5], source.split(" ")[0]
        if place and kind:
            kinds[Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), place[0]))] = kind
    return next((kinds[each] for each in (folder, *folder.parents) if each in kinds), None)

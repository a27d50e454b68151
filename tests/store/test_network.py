"""SQLite's file is kept on disks of one machine."""

from pathlib import Path

import pytest

from darkroom.errors import StorageError
from darkroom.store import network
from tests.ledgers import open_ledger

ROOT = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"


def mounted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, place: Path) -> None:
    """What Linux says where that is mounted there; spaces are written as it writes them."""
    spelled = str(place).replace(" ", "\\040")
    lines = (ROOT, f"40 22 0:50 / {spelled} rw,relatime shared:9 - {kind} somewhere:/export rw")
    mounts = tmp_path / "mountinfo"
    mounts.write_text("\n".join(lines))
    monkeypatch.setattr(network, "MOUNTS", mounts)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "ceph"])
async def test_a_ledger_on_a_network_file_system_is_refused_with_its_two_cures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    home = tmp_path / "a share" / "home"
    mounted(monkeypatch, tmp_path, kind, home.parent)
    with pytest.raises(StorageError, match="network file system") as refusal:
        async with open_ledger(home):
            pass
    assert "DARKROOM_HOME" in refusal.value.next_step
    assert "DARKROOM_DATABASE_URL" in refusal.value.next_step
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("kind", ["ext4", "overlay", "tmpfs", "fuse.gocryptfs", "9p"])
async def test_a_ledger_on_a_disk_is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> None:
    mounted(monkeypatch, tmp_path, kind, tmp_path)
    async with open_ledger(tmp_path / "home"):
        pass


async def test_where_nobody_knows_a_ledger_is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(network, "MOUNTS", tmp_path / "nothing")
    async with open_ledger(tmp_path / "home"):
        pass

"""Who lives is told by a held lock; a file that is missing tells nothing, since who lives puts it back."""

import os
from pathlib import Path

import pytest

from darkroom.store import presence as module
from darkroom.store.presence import SILENT_AFTER_S, STAYS_MISSING_S, FilePresence, present
from darkroom.store.signs import Life
from tests.attacks.test_safekeeping import mode


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that lookers measure in, moved by hand."""
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def lock_of(home: Path, process: FilePresence) -> Path:
    return home / "processes" / f"{process.id}.lock"


def test_a_process_is_alive_until_it_ends_and_dead_from_then_on(tmp_path: Path) -> None:
    with present(tmp_path) as looker:
        with present(tmp_path) as other:
            assert not looker.is_dead(other.id)
        assert looker.is_dead(other.id)
        looker.forget(other.id)
        assert [path.stem for path in (tmp_path / "processes").iterdir()] == [looker.id]


def test_whose_lock_file_was_removed_is_alive_and_has_it_back(tmp_path: Path, clock: list[float]) -> None:
    with present(tmp_path) as looker, present(tmp_path) as other:
        lock_of(tmp_path, other).unlink()
        assert not looker.is_dead(other.id)
        clock[0] += STAYS_MISSING_S - 0.5
        assert not looker.is_dead(other.id)
        other.stay()
        clock[0] += 10 * STAYS_MISSING_S
        assert not looker.is_dead(other.id)
        lock_of(tmp_path, other).unlink()
        assert not looker.is_dead(other.id), "it is missing anew"
        other.stay()
    with present(tmp_path) as late:
        assert late.is_dead(other.id)


def test_a_file_in_the_place_of_ones_own_is_exchanged_again(tmp_path: Path) -> None:
    with present(tmp_path) as looker, present(tmp_path) as other:
        lock_of(tmp_path, other).unlink()
        lock_of(tmp_path, other).touch()
        other.stay()
        assert not looker.is_dead(other.id)


def test_the_whole_folder_is_put_back(tmp_path: Path) -> None:
    with present(tmp_path) as looker, present(tmp_path) as other:
        for path in (tmp_path / "processes").iterdir():
            path.unlink()
        (tmp_path / "processes").rmdir()
        other.stay()
        assert not looker.is_dead(other.id)


def test_who_stays_missing_is_dead(tmp_path: Path, clock: list[float]) -> None:
    with present(tmp_path) as looker:
        assert not looker.is_dead("0123456789abcdef")
        clock[0] += STAYS_MISSING_S
        assert looker.is_dead("0123456789abcdef")


def test_what_the_dead_left_goes_and_what_the_living_have_stays(tmp_path: Path) -> None:
    with present(tmp_path) as ended:
        pass
    (tmp_path / "processes" / "0123456789abcdef.lock").touch()
    (tmp_path / "processes" / "notes.txt").touch()
    with present(tmp_path) as looker, present(tmp_path) as other:
        looker.remove_dead()
        assert {path.stem for path in (tmp_path / "processes").iterdir()} == {looker.id, other.id, "notes", "unchecked"}
    assert ended.id not in {looker.id, other.id}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permissions of this kind")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277, 0o777])
def test_the_folder_and_the_locks_are_their_owner_s_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    home = tmp_path / "share" / "home"
    before = os.umask(umask)
    try:
        with present(home) as process:
            assert mode(lock_of(home, process)) == 0o600
            lock_of(home, process).unlink()
            process.stay()
            assert mode(lock_of(home, process)) == 0o600
    finally:
        os.umask(before)
    assert [mode(path) for path in (home.parent, home, home / "processes")] == [0o700] * 3


@pytest.mark.skipif(os.name == "nt", reason="Windows has no shared locks")
def test_who_looks_at_the_same_time_is_not_taken_for_the_one_that_is_looked_at(tmp_path: Path) -> None:
    import fcntl

    with present(tmp_path) as looker:
        left = tmp_path / "processes" / "1-dead.lock"
        left.touch()
        with left.open() as another_looker:
            fcntl.flock(another_looker, fcntl.LOCK_SH)
            assert looker.is_dead("1-dead")


def test_who_shows_nothing_for_half_a_minute_is_silent_and_runs_again_when_it_does(
    tmp_path: Path, clock: list[float]
) -> None:
    with present(tmp_path) as looker, present(tmp_path) as other:

        def looks_for(seconds: float) -> Life:
            for _ in range(round(seconds)):
                clock[0] += 1.0
                looker.look([other.id])
            return looker.life(other.id)

        assert looks_for(SILENT_AFTER_S - 2) is Life.RUNNING
        assert looks_for(4) is Life.SILENT
        os.utime(lock_of(tmp_path, other), ns=(1, 1))
        assert looks_for(1) is Life.RUNNING


def test_time_that_the_looker_itself_slept_through_makes_nobody_silent(tmp_path: Path, clock: list[float]) -> None:
    with present(tmp_path) as looker, present(tmp_path) as other:
        looker.look([other.id])
        clock[0] += 1000 * SILENT_AFTER_S
        looker.look([other.id])
        assert looker.life(other.id) is Life.RUNNING

"""What `doctor` reports, and what is to be in it."""

import random
import re
from dataclasses import dataclass
from typing import Any

from tests.hosts import Finished, Home, darkroom

SECRET = "bw_live_4f9aSECRETc2e81b7d03"
PASSWORD = "hunterPASSWORD22x"


@dataclass(frozen=True)
class Found:
    """What is to be among the findings."""

    section: str
    level: str
    said: str
    cure: str


def failure(section: str, said: str, cure: str) -> Found:
    return Found(section, "failure", said, cure)


def warning(section: str, said: str, cure: str) -> Found:
    return Found(section, "warning", said, cure)


def examined(home: Home, **extra: str) -> Finished:
    """The report as JSON, which has no secret in it, nor has what is said beside it."""
    done = darkroom(home, "doctor", "--json", **extra)
    assert done.status == (1 if done.json["failures"] else 0), done.err
    levels = [each["level"] for each in done.json["findings"]]
    assert (levels.count("failure"), levels.count("warning")) == (done.json["failures"], done.json["warnings"])
    assert all(each["level"] == "ok" or each["cure"] for each in done.json["findings"])
    for text in (SECRET, PASSWORD):
        assert text not in done.out + done.err
    assert "Traceback" not in done.err
    return done


def holds(report: Any, *expected: Found) -> None:
    for each in expected:
        alike = [
            found for found in report["findings"] if (found["section"], found["level"]) == (each.section, each.level)
        ]
        assert any(re.search(each.said, found["message"]) and re.search(each.cure, found["cure"]) for found in alike), (
            each,
            report,
        )


def noise(home: Home) -> None:
    """Something else in the ledger's place."""
    home.ledger.parent.mkdir()
    home.ledger.write_bytes(random.Random(7).randbytes(20_000))


def pictures_are_a_file(home: Home) -> None:
    """Something else in the place of the folder for pictures."""
    home.pictures.write_bytes(b"my own notes")

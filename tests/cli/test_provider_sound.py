"""`provider check` on the files that Darkroom itself ships and shows: all are sound."""

from pathlib import Path

from darkroom.providers.language.files import SHIPPED
from tests.cli.test_provider_check import DONE, written
from tests.hosts import Home, darkroom


def test_every_shipped_file_is_sound(home: Home) -> None:
    shipped = sorted(SHIPPED.glob("*.toml"))
    done = darkroom(home, "provider", "check", *map(str, shipped), "--json")
    assert [each["faults"] for each in done.json["files"]] == [[]] * len(shipped)
    assert not [
        note for each in done.json["files"] for note in each["notes"] if note["message"].startswith(("hosts", "name"))
    ]


def test_the_file_that_the_guide_begins_with_is_sound(home: Home) -> None:
    guide = (Path(__file__).parent.parent.parent / "docs" / "add-a-service.md").read_text("utf-8")
    text = guide.partition("```toml\n")[2].partition("```")[0]
    done = darkroom(home, "provider", "check", str(written(home, text, "my-service.toml")))
    assert (done.status, "2 examples read as documented" in done.out) == (DONE, True), done.out

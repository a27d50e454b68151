"""`provider record`: one real generation, paid for knowingly, whose answers become examples."""

import base64
from pathlib import Path

from tests.cli.test_provider_check import DONE, FAILED, WRONG_USE
from tests.cli.test_terminal import on_a_terminal
from tests.hosts import Home, darkroom
from tests.services.declared import KEY, DeclaredService
from tests.services.pictures import picture


def test_the_answers_of_one_paid_generation_become_examples_in_a_copy(home: Home) -> None:
    with DeclaredService.shipped("bfl").like(submit="submit", read=["pending", "pending", "ready"]) as service:
        (answer,) = [each.answer for each in service.declared.example if each.name == "submit"]
        service.says["submit"] = [(200, {**answer, "echo": KEY, "nothing": None})]
        user = service.home(home)
        file = home.path / "home" / "providers" / f"{service.name}.toml"
        done = darkroom(user, "provider", "record", str(file), "--prompt", "a red fox", "--pay", "--json")
        assert done.status == DONE, done
        assert len(service.posts) == 1
        assert "a red fox" in done.err
        assert "may charge" in done.err
        copy = Path(done.json["file"])
        text = copy.read_text("utf-8")
        assert KEY not in text
        assert text.startswith(file.read_text("utf-8").rstrip())
        assert text.count('name = "recorded: sent"') == text.count('name = "recorded: submit"') == 1
        assert text.count('name = "recorded: read"') == 2
        checked = darkroom(user, "provider", "check", str(copy), "--json").json["files"][0]
        assert checked["faults"] == []


def test_nothing_is_sent_without_a_yes_or_pay_or_before_the_file_was_added(home: Home) -> None:
    with DeclaredService.shipped("bfl").like(submit="submit", read="ready") as service:
        user = service.home(home)
        file = home.path / "home" / "providers" / f"{service.name}.toml"
        words = ("provider", "record", str(file), "--prompt", "a fox")
        refused = darkroom(user, *words, stdin="y\n")
        assert (refused.status, "--pay" in refused.err) == (WRONG_USE, True)
        with on_a_terminal(user, *words) as terminal:
            terminal.until(r"pay for it\? \[y/N\] ")
            terminal.type("n\n")
            status, seen = terminal.end()
        assert (status, "Nothing was sent." in seen) == (FAILED, True)
        other = home.path / "other.toml"
        other.write_text(file.read_text("utf-8").replace("title =", "# changed\ntitle =", 1), "utf-8")
        not_added = darkroom(user, "provider", "record", str(other), "--prompt", "a fox", "--pay")
        assert (not_added.status, "provider add" in not_added.err) == (WRONG_USE, True)
        no_key = darkroom(home, *words, "--pay")
        assert (no_key.status, "_KEY is not set" in no_key.err) == (WRONG_USE, True)
        assert service.asked == []


def test_an_answer_that_is_the_result_is_recorded_with_its_pictures_cut(home: Home) -> None:
    with DeclaredService.shipped("openai") as service:
        encoded = base64.b64encode(picture("a large one", 640, 480, "PNG")).decode()
        service.says["submit"] = [(200, {"data": [{"b64_json": encoded}]})]
        file = home.path / "home" / "providers" / f"{service.name}.toml"
        done = darkroom(service.home(home), "provider", "record", str(file), "--prompt", "a fox", "--pay", "--json")
        text = Path(done.json["file"]).read_text("utf-8")
        assert (done.status, len(service.posts)) == (DONE, 1)
        assert text.count('name = "recorded: submit"') == 1
        assert encoded[:1000] in text
        assert encoded[:1001] not in text

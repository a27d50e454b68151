"""Providers in code of other distributions, installed as they would be: found by name, loaded only when configured."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.hosts import PATIENCE_S, Finished, Home, connected, darkroom, text_of

KEY = "dk_0123456789abcdefABCDEF"
MODULE = """
import os
from pathlib import Path

Path(os.environ["HOME"], "imported").touch()
print("hello from an import")

from darkroom.declaration import Declaration, Options, Traits
from darkroom.models import ImageStatus, Receipt
from darkroom.providers.base import HttpProvider, Model, Reading, RemoteImage, Submission
from darkroom.providers.drawing.art import paint


class Easel(HttpProvider):
    name = "easel"
    traits = Traits(title="Easel", poll_interval_s=0.1, shortest_interval_s=0.1, deadline_s=60.0, default_model="oil")

    async def submit(self, request, reference):
        return Submission(receipt=Receipt(job_id="job-1", kept={"reference": reference}))

    async def read(self, receipt, request):
        return Reading(done=True, images=(RemoteImage(index=1, status=ImageStatus.SUCCEEDED),))

    async def picture(self, receipt, request, image, into):
        into.write(paint(request.prompt, seed=1, index=1, width=64, height=64))

    async def models(self):
        MODELS

    async def account_state(self):
        return None


DECLARATION = Declaration(
    name="easel", prefix="DARKROOM_EASEL_", traits=Easel.traits, client=Easel, base_url="https://easel.example/v1",
    api_version=1, further=("STUDIO",),
)
""".replace("MODELS", 'return [Model(id="oil", name="Oil")]')


def installed(home: Home, name: str = "easel", module: str = MODULE, distribution: str = "easel-for-darkroom") -> Home:
    """The user after an installation of a distribution with this provider."""
    site, package = home.path / "site", distribution.replace("-", "_")
    info = site / f"{package}-2.1.dist-info"
    info.mkdir(parents=True)
    (site / f"{package}.py").write_text(module, "utf-8")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 2.1\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[darkroom.providers]\n{name} = {package}:DECLARATION\n", "utf-8")
    return home.with_(PYTHONPATH=str(site))


def state_of(home: Home, name: str = "easel", **environ: str) -> tuple[dict[str, Any], Finished]:
    """What `models` has of it."""
    told = darkroom(home.with_(**environ), "models", "--json")
    return next(state for state in told.json["providers"] if state["name"] == name), told


def test_a_provider_of_another_distribution_makes_a_picture(home: Home) -> None:
    there = installed(home).with_(DARKROOM_EASEL_KEY=KEY, DARKROOM_EASEL_STUDIO="north")
    done = darkroom(there, "generate", "a cat", "--provider", "easel", "--json")
    assert done.json["status"] == "succeeded", done
    assert Path(done.json["images"][0]["path"]).is_file()
    state, told = state_of(there)
    assert (state["status"], [model["id"] for model in state["models"]]) == ("set, not tried yet", ["oil"])
    assert "STUDIO" not in told.err


def test_it_is_listed_without_being_imported_and_imported_only_once_it_is_configured(home: Home) -> None:
    there = installed(home)
    listed = darkroom(there, "provider", "list", "--json").json["providers"]
    assert [each["origin"] for each in listed if each["name"] == "easel"] == ["installed"]
    assert "easel" not in darkroom(there, "models").out
    assert not (home.path / "imported").exists()
    state_of(there, DARKROOM_EASEL_KEY=KEY)
    assert (home.path / "imported").exists()


async def test_a_server_offers_it_and_what_it_prints_spoils_no_line(home: Home) -> None:
    there = installed(home).with_(DARKROOM_EASEL_KEY=KEY)
    async with connected(there) as client:
        result = await client.call_tool("list_models", {"provider": "easel"})
        assert "model oil" in text_of(result)


BAD = {
    "it raises": ("1 / 0", "ZeroDivisionError"),
    "it ends the process": ("raise SystemExit(3)", "SystemExit"),
    "it is no Python": ("def", "SyntaxError"),
    "nothing is there": ("", "AttributeError"),
    "another type": ("DECLARATION = 7", "it is a int"),
    "another version": (MODULE.replace("api_version=1", "api_version=2"), "its api_version is 2"),
    "no version": (MODULE.replace("api_version=1,", ""), "its api_version is None"),
    "another name": (MODULE.replace('name="easel", prefix', 'name="other", prefix'), "declares other"),
    "another provider's variables": (MODULE.replace('"DARKROOM_EASEL_"', '"FATTHUMB_"'), "variables begin with"),
    "a vendor's variable": (MODULE.replace("api_version=1", 'api_version=1, vendor_key="OPENAI_API_KEY"'), "variables"),
    "no traits": (MODULE.replace("traits=Easel.traits", "traits=None"), "traits"),
    "odd traits": (MODULE.replace("poll_interval_s=0.1", 'poll_interval_s="soon"'), "poll_interval_s"),
    "no interval": (MODULE.replace("poll_interval_s=0.1", "poll_interval_s=0.0"), "more than 0"),
    "odd limits": (MODULE.replace("api_version=1", 'api_version=1, limits="many"'), "limits"),
    "odd address": (MODULE.replace("https://easel.example/v1", "easel"), "base_url"),
    "a client that cannot be made": (
        MODULE.replace("client=Easel,", "client=lambda connection: 1 / 0,"),
        "ZeroDivision",
    ),
    "models that break": (MODULE.replace('return [Model(id="oil", name="Oil")]', "return 1 / 0"), "ZeroDivisionError"),
    "models that are none": (MODULE.replace('return [Model(id="oil", name="Oil")]', "return [7]"), "ValidationError"),
}


def test_broken_ones_are_unavailable_each_with_its_reason_and_the_others_are_there(home: Home) -> None:
    there, reasons = home.with_(DARKROOM_EASEL_KEY=KEY), dict[str, str]()
    for number, (module, says) in enumerate(BAD.values()):
        name = f"easel-{number}"
        reasons[name] = says
        own = module.replace('name="easel"', f'name="{name}"').replace("EASEL_", f"EASEL_{number}_")
        there = installed(there.with_(**{f"DARKROOM_EASEL_{number}_KEY": KEY}), name, own, f"dist-{number}")
    told = darkroom(installed(there), "models", "--json")
    states = {state["name"]: state for state in told.json["providers"]}
    assert {states[name]["status"] for name in reasons} == {"unavailable"}
    unsaid = {name: states[name]["error"] for name, says in reasons.items() if says not in json.dumps(states[name])}
    assert unsaid == {}
    assert [states[name]["status"] for name in ("sketch", "easel")] == ["ready", "set, not tried yet"]
    assert KEY not in told.out + told.err


def test_the_key_of_a_broken_one_stays_a_secret(home: Home) -> None:
    there = installed(home, module="1 / 0").with_(DARKROOM_EASEL_KEY=KEY)
    refused = darkroom(there, "generate", f"a cat with {KEY}", "--provider", "sketch")
    assert "secret" in refused.err
    assert KEY not in refused.out + refused.err


def test_one_that_takes_too_long_to_import_is_unavailable(home: Home) -> None:
    there = installed(home, module="import threading; threading.Event().wait()").with_(DARKROOM_EASEL_KEY=KEY)
    code = (
        "from darkroom.providers import plugged; plugged.LOAD_WITHIN_S = 0.2; import sys;"
        " from darkroom.__main__ import main; sys.argv = ['darkroom', 'models', '--json']; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=there.environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    (state,) = [each for each in json.loads(done.stdout)["providers"] if each["name"] == "easel"]
    assert "was not imported within 0.2 s" in state["error"]["message"]


def test_two_distributions_with_one_name_are_both_named_and_neither_is_imported(home: Home) -> None:
    there = installed(installed(home), distribution="another-easel")
    state, _ = state_of(there, DARKROOM_EASEL_KEY=KEY)
    assert all(each in state["error"]["message"] for each in ("easel-for-darkroom 2.1", "another-easel 2.1"))
    assert not (home.path / "imported").exists()


def test_a_name_that_comes_with_darkroom_is_never_taken_and_that_is_said(home: Home) -> None:
    names = ("sketch", "fatthumb", "fal", "comfyui")
    there = home.with_(DARKROOM_ELSEWHERE_KEY=KEY, FATTHUMB_API_KEY=KEY, FAL_KEY=KEY)
    for name in names:
        there = installed(there, name, distribution=f"{name}-for-darkroom")
    told = darkroom(there, "provider", "list")
    assert all(f"The provider {name} of {name}-for-darkroom 2.1 is ignored" in told.err for name in names)
    assert not (home.path / "imported").exists()


def test_a_name_that_no_provider_can_have_and_damaged_metadata_are_passed_over(home: Home) -> None:
    there = installed(home, name="Not A Name!")
    (home.path / "site" / "easel_for_darkroom-2.1.dist-info" / "METADATA").write_bytes(b"\xff\xfe\x00")
    told = darkroom(there.with_(DARKROOM_EASEL_KEY=KEY), "models", "--json")
    assert told.status == 0, told


def test_a_start_that_names_no_other_provider_reads_no_metadata(home: Home) -> None:
    code = (
        "import os, sys; from darkroom.providers.declared import read_settings; "
        "before = 'importlib.metadata' in sys.modules; read_settings(os.environ); "
        "print(before, 'importlib.metadata' in sys.modules, 'darkroom.providers.plugged' in sys.modules)"
    )
    environ = installed(home).with_(DARKROOM_BFL_KEY=KEY, FATTHUMB_API_KEY=KEY).environ
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    before, after, plugged = done.stdout.split()
    assert (after, plugged) == (before, "False")

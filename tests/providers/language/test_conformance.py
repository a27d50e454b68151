"""Every declaration that is shipped, and a provider in code, held to the promises by the kit that others use too."""

import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from darkroom.providers.offered import OFFERED
from darkroom.testing import DeclaredService, Service, prove
from darkroom.testing.service import Said
from tests.services.declared import SHIPPED

PARTS = 4
"""Of one long test, which may run beside each other."""


@pytest.mark.parametrize("part", range(PARTS))
def test_every_shipped_service_keeps_the_promises(tmp_path: Path, part: int) -> None:
    with ExitStack() as stack:
        names = sorted(OFFERED)[part::PARTS]
        services = [DeclaredService((SHIPPED / f"{name}.toml").read_text("utf-8")).ready() for name in names]
        for service in services:
            stack.enter_context(service)
        prove(tmp_path, *services)


PAGE = (Path(__file__).parents[3] / "docs" / "add-a-service.md").read_text("utf-8")
EASEL = next(code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "class Easel" in code)
ROUTES = {"submit": ("POST", "/pictures"), "read": ("GET", "/pictures/j-1")}
SAYS: dict[str, list[Said]] = {
    "submit": [(200, {"id": "j-1"})],
    "read": [(200, {"status": "drawing"}), (200, {"status": "done", "link": "{origin}/files/1.png"})],
}


def easel(folder: Path, code: str) -> dict[str, str]:
    """The environment in which a distribution with this code is installed."""
    info = folder / "site" / "easel_for_darkroom-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: easel-for-darkroom\nVersion: 1\n", "utf-8")
    (info / "entry_points.txt").write_text("[darkroom.providers]\neasel = easel_for_darkroom:DECLARATION\n", "utf-8")
    (folder / "site" / "easel_for_darkroom.py").write_text(code, "utf-8")
    return {"PYTHONPATH": str(folder / "site")}


def test_the_provider_of_the_guide_keeps_the_promises(tmp_path: Path) -> None:
    with Service("easel", ROUTES, SAYS) as service:
        prove(tmp_path, service, environ=easel(tmp_path / "installed", EASEL))


def test_a_provider_that_breaks_them_is_told_each_promise_that_it_breaks(tmp_path: Path) -> None:
    careless = """\
        from darkroom.errors import OutcomeUnknown
        try:
            job = await self._api.submit("/pictures", {"prompt": request.prompt})
        except OutcomeUnknown:
            job = await self._api.submit("/pictures", {"prompt": request.prompt})
"""
    once = re.search(r"^ +job = await self._api.submit.*\n", EASEL, re.MULTILINE)
    assert once is not None
    code = EASEL.replace(once[0], careless)
    with Service("easel", ROUTES, SAYS) as service, pytest.raises(AssertionError) as caught:
        prove(tmp_path, service, environ=easel(tmp_path / "installed", code))
    broken = str(caught.value).splitlines()
    assert "easel, an error of the server: 2 POSTs, not 1" in broken
    assert not any("a refusal" in sentence or "a job that goes well" in sentence for sentence in broken)


def taking_pictures(sent: str) -> str:
    """The guide's provider, made to take a picture, and to send this of it."""
    code = EASEL.replace('default_model="oil")', 'default_model="oil", images=ImageTraits(max=2))')
    code = code.replace("import Declaration, Traits", "import Declaration, ImageTraits, Traits")
    before = '        job = await self._api.submit("/pictures", {"prompt": request.prompt})'
    assert before in code
    given = "        pictures = [b64encode(each.data).decode() for each in await self.given(request, reference)]\n"
    return f"from base64 import b64encode\n{code.replace(before, given + before.replace('}', sent + '}'))}"


def test_a_provider_in_code_is_given_the_verified_pictures_of_a_request(tmp_path: Path) -> None:
    with Service("easel", ROUTES, SAYS) as service:
        prove(tmp_path, service, environ=easel(tmp_path / "installed", taking_pictures(', "from": pictures')))
    assert not list((tmp_path / "home").glob("providers/inputs/*"))


def test_a_provider_that_leaves_out_the_picture_that_it_takes_is_told_so(tmp_path: Path) -> None:
    with Service("easel", ROUTES, SAYS) as service, pytest.raises(AssertionError) as caught:
        prove(tmp_path, service, environ=easel(tmp_path / "installed", taking_pictures("")))
    assert str(caught.value) == (
        "easel, a job with a picture to work from: the picture that it was to work from was not sent"
    )


def stopping(times: int) -> str:
    """The guide's provider, made to ask so often for a job to be stopped."""
    code = EASEL.replace('default_model="oil")', 'default_model="oil", cancels=True)')
    ask = """
    async def cancel(self, receipt: Receipt, request: GenerationRequest) -> Reply:
        for _ in range(TIMES):
            await self._api.ask_once(Call("POST", f"/pictures/{receipt.job_id}/cancel"))
        return Reply.ASKED

    async def models("""
    code = code.replace("\n    async def models(", ask.replace("TIMES", str(times)))
    needed = "from darkroom.providers.stopping import Reply\nfrom darkroom.transport.client import Call\n"
    return needed + code


@pytest.mark.parametrize("times", [1, 2])
def test_a_provider_in_code_asks_once_for_a_job_to_be_stopped(tmp_path: Path, times: int) -> None:
    routes = {**ROUTES, "cancel": ("POST", "/pictures/j-1/cancel")}
    says: dict[str, list[Said]] = {**SAYS, "cancel": [(200, {})], "working": [(200, {"status": "drawing"})]}
    what = "easel, a job that its service is asked to stop, and that is done all the same"
    told = ""
    with Service("easel", routes, says) as service:
        try:
            prove(tmp_path, service, environ=easel(tmp_path / "installed", stopping(times)))
        except AssertionError as error:
            told = str(error)
    assert told == ("" if times == 1 else f"{what}: 2 requests to stop it, not 1")

"""The host's page and the gallery's on a loopback socket, so that the security headers are real ones."""

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.npm import MODULES, NODE
from tests.services.loopback import Loopback

HERE = Path(__file__).parent

INLINE = "script-src 'unsafe-inline'; style-src 'unsafe-inline'"
NOTHING_ELSE = f"default-src 'none'; {INLINE}; connect-src 'none'; base-uri 'none'; form-action 'none'"
POLICIES = {
    "no images at all": f"{NOTHING_ELSE}; img-src 'none'",
    "images without data:": f"{NOTHING_ELSE}; img-src blob:",
    "images without blob:": f"{NOTHING_ELSE}; img-src data:",
    "no markup made of text": f"{NOTHING_ELSE}; require-trusted-types-for 'script'; trusted-types 'none'",
}
"""What hosts are known to allow a page at most, and one that only tells whether text ever becomes markup."""
STRICTEST = "no images at all"


def bundled(folder: Path) -> str:
    """The host's script with the packages that it imports."""
    out = folder / "host.js"
    subprocess.run(
        [NODE, MODULES / "esbuild" / "bin" / "esbuild", HERE / "host.js", "--bundle", f"--outfile={out}"],
        env={**os.environ, "NODE_PATH": str(MODULES)}, check=True, capture_output=True,
    )  # fmt: skip
    return out.read_text()


class Pages:
    """`with Pages(script, html, policy) as pages`: a browser finds both pages under these addresses."""

    def __init__(self, script: str, html: str, policy: str) -> None:
        self._script = script
        self._html = html
        self._policy = policy
        routes = [Route("/host", self._host), Route("/host.js", self._host_script), Route("/gallery", self._gallery)]
        self._loopback = Loopback(Starlette(routes=routes))

    def __enter__(self) -> Self:
        self._loopback.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._loopback.close()

    @property
    def host(self) -> str:
        return f"http://127.0.0.1:{self._loopback.port}/host"

    @property
    def script(self) -> str:
        return f"{self.host}.js"

    @property
    def gallery(self) -> str:
        return f"http://127.0.0.1:{self._loopback.port}/gallery"

    async def _host(self, _: Request) -> Response:
        return HTMLResponse((HERE / "host.html").read_text())

    async def _host_script(self, _: Request) -> Response:
        return Response(self._script, media_type="text/javascript")

    async def _gallery(self, _: Request) -> Response:
        return HTMLResponse(self._html, headers={"content-security-policy": self._policy})

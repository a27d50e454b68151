"""A stub for a language model, on loopback: it asks for two pictures, follows the next step of the result, and reports.

It speaks OpenAI's Responses and Chat Completions and Anthropic's Messages, to clients with any key. By hand:
`python -m tests.services.model` prints the variables that lead agents to it.
"""

import json
import re
import signal
import threading
from itertools import count
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.services.loopback import Loopback
from tests.services.model_wire import Call, Json, Shown, read, streamed, written

PROMPT = "A lighthouse keeper reading by lamplight"
NEXT_STEP = re.compile(r'all wait with (\[\\*"gen_\w+\\*"\])')
SAVED = re.compile(r'(?<=[\s"])/[^\s"\\]+\.png')


class Model:
    """`with Model() as model: model.environ`."""

    def __init__(self, port: int = 0) -> None:
        self.shown: list[Shown] = []
        """What each request with tools showed it, in order."""
        self._numbers = count(1)
        routes = [
            Route("/v1/responses", self._answer, name="responses", methods=["POST"]),
            Route("/v1/chat/completions", self._answer, name="chat", methods=["POST"]),
            Route("/v1/messages", self._answer, name="messages", methods=["POST"]),
            Route("/v1/messages/count_tokens", _tokens, methods=["POST"]),
        ]
        self._loopback = Loopback(Starlette(routes=routes), port=port)

    def __enter__(self) -> Self:
        self._loopback.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loopback.close()

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which the frameworks find a model."""
        origin = f"http://127.0.0.1:{self._loopback.port}"
        openai = {"OPENAI_BASE_URL": f"{origin}/v1", "OPENAI_API_KEY": "stub"}
        return {**openai, "ANTHROPIC_BASE_URL": origin, "ANTHROPIC_API_KEY": "stub"}

    async def _answer(self, request: Request) -> Response:
        api = request.url.path.rpartition("/v1/")[2].removesuffix("/completions")
        body = json.loads(await request.body())
        shown = read(api, body)
        if shown.tools:
            self.shown.append(shown)
        if shown.refusal:
            return JSONResponse({"error": {"message": shown.refusal, "type": "invalid_request_error"}}, 400)
        whole = written(api, reply(shown), next(self._numbers))
        if not body.get("stream"):
            return JSONResponse(whole)
        return Response(b"".join(streamed(api, whole)), media_type="text/event-stream")


async def _tokens(_: Request) -> Response:
    return JSONResponse({"input_tokens": 1})


def reply(shown: Shown) -> Call | str:
    """The next call, or the last words, out of nothing but what the client showed."""
    said = "\n".join(shown.results)
    if "gen_" not in said:
        wish: Json = {"prompt": PROMPT, "provider": "sketch", "count": 2}
        return _call(shown, "generate", wish) or _search(shown) or "There is no tool that makes pictures."
    if told := NEXT_STEP.search(shown.results[-1]):
        ids = json.loads(told[1].replace("\\", ""))
        return _call(shown, "wait", {"generation_ids": ids}) or "There is no tool that waits."
    paths = sorted(set(SAVED.findall(said)))
    return "\n".join([f"Images that I saw: {shown.images}. Saved:", *paths])


def _call(shown: Shown, tool: str, arguments: Json) -> Call | None:
    """A call of the tool of this name, which clients may have put a prefix before."""
    name = next((each for each in shown.tools if re.split(r"__|\.|/", each)[-1] == tool), None)
    return None if name is None else Call(name, arguments, shown.tools[name])


def _search(shown: Shown) -> Call | None:
    """A search for the tools, once, where a client shows them only to who searches."""
    search: Json = {"query": "darkroom generate wait pictures", "max_results": 10}
    return None if shown.results else _call(shown, "ToolSearch", search)


def main() -> None:
    """Serves until it is told to end."""
    told = threading.Event()

    def tell(*_: object) -> None:
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, tell)
    with Model() as model:
        print("\n".join(f"export {name}={value}" for name, value in model.environ.items()), flush=True)
        told.wait()


if __name__ == "__main__":
    main()

"""ComfyUI on loopback, made from the exchange that was recorded with the real one (v0.3.64): it paints nothing.

What it answers has the shapes of that recording; what it keeps, and forgets at a restart, is as it was seen there.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

import anyio
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.hosts import Home
from tests.services.loopback import Loopback
from tests.services.multipart import parts
from tests.services.pictures import picture

CHECKPOINTS = ["dreamshaper_8.safetensors", "sd_xl_base_1.0.safetensors"]
TRACEBACK = '  File "/home/somebody/ComfyUI/execution.py", line 496, in execute'


@dataclass
class Job:
    """One prompt that it took."""

    id: str
    number: int
    graph: dict[str, Any]

    @property
    def item(self) -> list[Any]:
        """Its entry in the queue."""
        return [self.number, self.id, self.graph, {}, ["9"]]


@dataclass
class ComfyUI:
    """What tests decide: `stays` (in its queue), `fails` (how jobs end), `loses` (answers to a POST), `old`."""

    stays: bool = False
    fails: list[Any] | None = None
    loses: Callable[[], Response] | None = None
    takes: bool = True
    """Whether a POST whose answer is lost was taken."""
    old: bool = False
    """Older than 2025-07: it gives jobs names of its own."""
    version: str = "0.3.64"
    checkpoints: list[str] = field(default_factory=lambda: list(CHECKPOINTS))
    newer_lists: bool = False
    talks: bool = True
    """Whether it has a WebSocket."""
    uploaded: Response | None = None
    """The response to an upload, where it is not the documented one."""

    def __post_init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.posts: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.history: dict[str, Any] = {}
        self.queue: list[Job] = []
        self.listeners: dict[str, tuple[asyncio.Queue[str | bytes | None], asyncio.AbstractEventLoop]] = {}
        """Those who listen now, by their names."""
        self.changed = threading.Condition()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._loopback = Loopback(self)

    def __enter__(self) -> Self:
        self._loopback.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.may_answer.set()
        self._loopback.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._loopback.port}"

    def home(self, home: Home, **extra: str) -> Home:
        """A user of it."""
        return home.with_(DARKROOM_COMFYUI_BASE_URL=self.url, **extra)

    def restart(self) -> None:
        """It forgets its queue and its history, and keeps its files."""
        with self.changed:
            self.queue, self.history = [], {}

    def finish(self) -> None:
        """All that waits is painted."""
        with self.changed:
            for job in self.queue:
                self.history[job.id] = self._entry(job)
            self.queue = []

    def paths(self, method: str = "GET") -> list[str]:
        """The paths that were asked for with this method."""
        return [path for asked, path in self.asked if asked == method]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        body = await request.body()
        with self.changed:
            self.asked.append((request.method, request.url.path))
            answer = self._posted(request, body) if request.method == "POST" else self._look(request)
            self.changed.notify_all()
        if request.url.path == "/prompt":
            await to_thread.run_sync(self.may_answer.wait, 60, abandon_on_cancel=True)
        await answer(scope, receive, send)

    def given(self, value: str) -> bytes:
        """The uploaded picture that a node is told to load."""
        place, _, kind = value.rpartition(" ")
        return self.files[f"{kind.strip('[]')}/{place}"]

    def _look(self, request: Request) -> Response:
        match request.url.path.split("/")[1:]:
            case ["history", job]:
                return JSONResponse({job: self.history[job]} if job in self.history else {})
            case ["system_stats"]:
                return JSONResponse({"system": {"comfyui_version": self.version}})
            case ["queue"]:
                items = [job.item for job in self.queue]
                if not self.stays:
                    self.finish()
                return JSONResponse({"queue_running": items[:1], "queue_pending": items[1:][::-1]})
            case ["view"]:
                asked = request.query_params
                name = "/".join(filter(None, (asked["type"], asked["subfolder"], asked["filename"])))
                found = self.files.get(name)
                return Response(status_code=404) if found is None else Response(found, media_type="image/png")
            case ["object_info", "CheckpointLoaderSimple"]:
                listed: list[Any] = (
                    ["COMBO", {"options": self.checkpoints}] if self.newer_lists else [self.checkpoints, {}]
                )
                return JSONResponse({"CheckpointLoaderSimple": {"input": {"required": {"ckpt_name": listed}}}})
            case _:
                return Response(status_code=404)

    def tell(self, *messages: Any) -> None:
        """Sends the newest job's listener messages, once it listens: texts and bytes as they are, all else as JSON.

        None: the connection ends.
        """
        name = self.posts[-1]["client_id"]
        with self.changed:
            assert self.changed.wait_for(lambda: name in self.listeners, 240)
            words, loop = self.listeners[name]
        for each in messages:
            word = each if isinstance(each, str | bytes) or each is None else json.dumps(each)
            loop.call_soon_threadsafe(words.put_nowait, word)

    async def _socket(self, socket: WebSocket) -> None:
        if not self.talks:
            await socket.close()
            return
        await socket.accept()
        words: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        name = socket.query_params["clientId"]
        with self.changed:
            self.listeners[name] = words, asyncio.get_running_loop()
            self.changed.notify_all()
        async with anyio.create_task_group() as group:
            group.start_soon(_leaves, socket, words)
            with suppress(WebSocketDisconnect, RuntimeError):
                while (word := await words.get()) is not None:
                    await (socket.send_bytes(word) if isinstance(word, bytes) else socket.send_text(word))
                await socket.close()
            group.cancel_scope.cancel()
        with self.changed:
            del self.listeners[name]
            self.changed.notify_all()

    def _posted(self, request: Request, body: bytes) -> Response:
        if request.url.path == "/prompt":
            return self._prompt(json.loads(body))
        if request.url.path in {"/queue", "/interrupt"}:
            return self._stopped(json.loads(body))
        if request.url.path != "/upload/image":
            return Response(status_code=405)
        fields = {name: content for name, _, content in parts(request.headers["content-type"], body)}
        (named,) = (filename for _, filename, _ in parts(request.headers["content-type"], body) if filename)
        kind, folder = fields["type"].decode(), fields["subfolder"].decode()
        self.files[f"{kind}/{folder}/{named}"] = fields["image"]
        return self.uploaded or JSONResponse({"name": named, "subfolder": folder, "type": kind})

    def _stopped(self, body: dict[str, Any]) -> Response:
        """As the real one: nothing is said of whether anything was there to stop."""
        running, waiting = self.queue[:1], self.queue[1:]
        for job in running if body.get("prompt_id") in [each.id for each in running] else []:
            self.fails = ["execution_interrupted", {}]
            self.history[job.id] = self._entry(job)
            running, self.fails = [], None
        self.queue = [*running, *(job for job in waiting if job.id not in body.get("delete", []))]
        return Response()

    def _prompt(self, body: dict[str, Any]) -> Response:
        self.posts.append(body)
        if self.loses is not None:
            if self.takes:
                self._take(body)
            return self.loses()
        graph = body["prompt"]
        named = graph.get("4", {}).get("inputs", {}).get("ckpt_name")
        if named is not None and named not in self.checkpoints:
            return JSONResponse(_refusal(named, self.checkpoints), 400)
        job = self._take(body)
        return JSONResponse({"prompt_id": job.id, "number": job.number, "node_errors": {}})

    def _take(self, body: dict[str, Any]) -> Job:
        job = Job(str(uuid4()) if self.old else body["prompt_id"], len(self.posts), body["prompt"])
        self.queue.append(job)
        return job

    def _entry(self, job: Job) -> dict[str, Any]:
        head: dict[str, Any] = {"prompt": job.item, "meta": {}}
        if self.fails is not None:
            status: dict[str, Any] = {
                "status_str": "error",
                "completed": False,
                "messages": [["execution_start", {}], self.fails],
            }
            return {**head, "outputs": {}, "status": status}
        (number, prefix) = next((n, each["inputs"]["filename_prefix"]) for n, each in job.graph.items() if _saves(each))
        subfolder, _, stem = prefix.rpartition("/")
        batches = {"EmptyLatentImage": "batch_size", "RepeatLatentBatch": "amount"}
        nodes = [each for each in job.graph.values() if each["class_type"] in batches]
        pictured = nodes[0]["inputs"][batches[nodes[0]["class_type"]]] if nodes else 1
        pictures: list[dict[str, str]] = []
        for count in range(1, pictured + 1):
            name = f"{stem}_{count:05}_.png"
            self.files[f"output/{subfolder}/{name}"] = picture(name, 64, 48, "PNG")
            pictures.append({"filename": name, "subfolder": subfolder, "type": "output"})
        status = {"status_str": "success", "completed": True}
        return {**head, "outputs": {number: {"images": pictures}}, "status": status}


async def _leaves(socket: WebSocket, words: "asyncio.Queue[str | bytes | None]") -> None:
    """Ends the conversation when the listener leaves."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    words.put_nowait(None)


def _saves(node: dict[str, Any]) -> bool:
    return node["class_type"] == "SaveImage"


def _refusal(named: str, known: list[str]) -> dict[str, Any]:
    error = {
        "type": "value_not_in_list",
        "message": "Value not in list",
        "details": f"ckpt_name: '{named}' not in {known}",
        "extra_info": {"input_name": "ckpt_name", "received_value": named},
    }
    return {
        "error": {
            "type": "prompt_outputs_failed_validation",
            "message": "Prompt outputs failed validation",
            "details": "",
            "extra_info": {},
        },
        "node_errors": {
            "4": {"errors": [error], "dependent_outputs": ["9"], "class_type": "CheckpointLoaderSimple"},
        },
    }

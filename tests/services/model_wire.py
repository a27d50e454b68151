"""Three vendors' ways to say the same: what a model is shown, and its reply; whole or as server-sent events."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One call of a tool, by the name that the client gave it; `space`: the namespace that a client may keep it in."""

    tool: str
    arguments: Json
    space: str = ""


@dataclass(frozen=True)
class Shown:
    """What one request shows the model.

    `tools`: names, with their namespaces. `results`: the text of each tool result, in order. `images`: pictures that a
    model would see. `refusal`: what the vendor's API would not take.
    """

    api: str
    tools: dict[str, str]
    results: list[str]
    images: int = 0
    refusal: str = ""

    @property
    def pasted(self) -> bool:
        """True where a picture came as a page of letters, which no model sees as one."""
        return any(re.search(r"[A-Za-z0-9+/]{2000}", result) for result in self.results)


def read(api: str, body: Json) -> Shown:
    """What the request of one API shows."""
    if api == "responses":
        return _read_responses(body)
    return _read_messages(body) if api == "messages" else _read_chat(body)


def _read_responses(body: Json) -> Shown:
    tools: dict[str, str] = {}
    for tool in body.get("tools", []):
        inner = tool["tools"] if tool.get("type") == "namespace" else [tool]
        space = tool["name"] if tool.get("type") == "namespace" else ""
        tools |= {each["name"]: space for each in inner if "name" in each}
    items = _parts(body["input"])
    results = [_text(item["output"]) for item in items if item.get("type") == "function_call_output"]
    parts = [part for item in items for part in _parts(item.get("output") or item.get("content"))]
    return _with_urls("responses", tools, results, [p["image_url"] for p in parts if p.get("type") == "input_image"])


def _read_chat(body: Json) -> Shown:
    tools = {tool["function"]["name"]: "" for tool in body.get("tools", [])}
    results = [_text(message["content"]) for message in body["messages"] if message["role"] == "tool"]
    parts = [part for message in body["messages"] for part in _parts(message.get("content"))]
    return _with_urls("chat", tools, results, [p["image_url"]["url"] for p in parts if p.get("type") == "image_url"])


def _read_messages(body: Json) -> Shown:
    tools = {tool["name"]: "" for tool in body.get("tools", [])}
    blocks = [block for message in body["messages"] for block in _parts(message["content"])]
    told = [block for block in blocks if block["type"] == "tool_result"]
    inner = [part for block in told for part in _parts(block.get("content"))]
    images = sum(part["type"] == "image" for part in (*blocks, *inner))
    return Shown("messages", tools, [_text(block.get("content")) for block in told], images)


def _with_urls(api: str, tools: dict[str, str], results: list[str], urls: list[str]) -> Shown:
    foreign = [url for url in urls if not url.startswith(("data:image/", "https://"))]
    refusal = f"Invalid image_url {foreign[0]!r}: only https and data: are taken" if foreign else ""
    return Shown(api, tools, results, len(urls) - len(foreign), refusal)


def _parts(content: Any) -> list[Json]:
    return cast("list[Json]", content) if isinstance(content, list) else []


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in _parts(content))


def written(api: str, reply: Call | str, number: int) -> Json:
    """A whole response of one API. `number` makes its ids differ from those before."""
    if api == "responses":
        return _responses(reply, number)
    return _messages(reply, number) if api == "messages" else _chat(reply, number)


def _responses(reply: Call | str, number: int) -> Json:
    if isinstance(reply, Call):
        space = {"namespace": reply.space} if reply.space else {}
        call = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", "name": reply.tool, **space}
        item: Json = {**call, "arguments": json.dumps(reply.arguments), "status": "completed"}
    else:
        part: Json = {"type": "output_text", "text": reply, "annotations": []}
        item = {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": [part]}
    usage: Json = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    head: Json = {"id": f"resp_{number}", "object": "response", "created_at": 1, "model": "stub", "status": "completed"}
    rules: Json = {"parallel_tool_calls": False, "tool_choice": "auto", "tools": [], "error": None}
    return {**head, **rules, "incomplete_details": None, "output": [item], "usage": usage}


def _chat(reply: Call | str, number: int) -> Json:
    if isinstance(reply, Call):
        function = {"name": reply.tool, "arguments": json.dumps(reply.arguments)}
        call = {"id": f"call_{number}", "type": "function", "function": function}
        message, reason = {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
    else:
        message, reason = {"role": "assistant", "content": reply}, "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    head = {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": 1, "model": "stub"}
    return {**head, "choices": [choice], "usage": usage}


def _messages(reply: Call | str, number: int) -> Json:
    if isinstance(reply, Call):
        block: Json = {"type": "tool_use", "id": f"toolu_{number}", "name": reply.tool, "input": reply.arguments}
    else:
        block = {"type": "text", "text": reply}
    reason = "tool_use" if isinstance(reply, Call) else "end_turn"
    head = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "stub"}
    usage = {"input_tokens": 1, "output_tokens": 1}
    return {**head, "content": [block], "stop_reason": reason, "stop_sequence": None, "usage": usage}


def streamed(api: str, whole: Json) -> Iterator[bytes]:
    """The same response as server-sent events, for the APIs whose clients here ask for that."""
    events = _responses_events(whole) if api == "responses" else _messages_events(whole)
    for number, event in enumerate(events):
        yield f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n".encode()


def _responses_events(whole: Json) -> Iterable[Json]:
    (item,) = whole["output"]
    yield {"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}}
    yield {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress"}}
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield {"type": "response.completed", "response": whole}


def _messages_events(whole: Json) -> Iterable[Json]:
    (block,) = whole["content"]
    empty: Json = {**block, "input": {}} if block["type"] == "tool_use" else {**block, "text": ""}
    if block["type"] == "tool_use":
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    else:
        delta = {"type": "text_delta", "text": block["text"]}
    yield {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
    yield {"type": "content_block_start", "index": 0, "content_block": empty}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    stop = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": whole["usage"]}
    yield {"type": "message_stop"}

"""What agents are told of the tools: unchanged unless somebody means it, small, and true."""

import json
from collections.abc import Iterator
from typing import Any, cast

import jsonschema
import pytest
from mcp import Client
from mcp.types import Tool

from darkroom.extensions.clients import GALLERY
from tests.hosts import ERAS, Era, Home, connected
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer, Html
from tests.snapshots_update import COMMAND, FOLDER, as_sent, live_tools, snapshot_of

TOOLS = ["generate", "wait", "get_status", "cancel", "list_generations", "list_models", "gallery", "gallery_delete"]
READ_ONLY = {"wait", "get_status", "list_generations", "list_models"}


def size(value: object) -> int:
    """Bytes of compact JSON."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def schemas_in(node: object) -> Iterator[dict[str, Any]]:
    """Every schema in a schema; property names are no keywords."""
    if isinstance(node, list):
        for item in cast("list[object]", node):
            yield from schemas_in(item)
    elif isinstance(node, dict):
        schema = cast("dict[str, Any]", node)
        yield schema
        for keyword, value in schema.items():
            if keyword in {"properties", "$defs"}:
                yield from schemas_in(list(value.values()))
            elif keyword not in {"examples", "default", "enum", "const"}:
                yield from schemas_in(value)


def bounded(schema: dict[str, Any]) -> bool:
    """Whether the schema says where what it takes ends."""
    enough: dict[str, bool] = {
        "string": "enum" in schema or "maxLength" in schema,
        "array": "maxItems" in schema and bounded(schema.get("items", {})),
        "object": "maxProperties" in schema or schema.get("additionalProperties") is False,
        "boolean": True,
        "null": True,
    }
    at_both_ends = bool(
        {"minimum", "exclusiveMinimum"} & schema.keys() and {"maximum", "exclusiveMaximum"} & schema.keys()
    )
    kind = str(schema.get("type"))
    return at_both_ends if kind in {"integer", "number"} else enough.get(kind, False)


@pytest.fixture
async def tools(home: Home) -> dict[str, Tool]:
    """What a server lists, by name."""
    return {tool.name: tool for tool in await live_tools(home)}


@pytest.mark.parametrize("era", ERAS)
async def test_what_agents_are_told_of_a_tool_is_what_its_snapshot_says(home: Home, era: Era) -> None:
    async with connected(home, era, apps=True) as client:
        live = {f"{tool.name}.json": snapshot_of(tool) for tool in (await client.list_tools()).tools}
    kept = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    assert live.keys() == kept.keys(), f"a snapshot is missing or left over; if that is meant: {COMMAND}"
    for name, text in live.items():
        assert text == kept[name], f"tests/snapshots/{name} differs; if that is meant: {COMMAND}"


async def test_the_tools_are_those_of_the_contract_each_with_a_title_and_a_description(tools: dict[str, Tool]) -> None:
    assert list(tools) == TOOLS
    for tool in tools.values():
        assert tool.title
        assert tool.description
        assert len(tool.description) > 60
        assert tool.output_schema is not None


async def test_the_tools_cost_an_agent_few_bytes_and_those_of_the_page_not_many_more(tools: dict[str, Tool]) -> None:
    everything = [as_sent(tool) for tool in tools.values()]
    for sent, more in (([tool for tool in everything if tool["name"] not in GALLERY], 0), (everything, 2_000)):
        parts = [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in sent]
        assert size(parts) < 4_800 + more
        assert size({"tools": sent}) < 16_000 + more


async def test_schemas_hold_no_generated_titles_no_nulls_and_are_valid(tools: dict[str, Tool]) -> None:
    for tool in tools.values():
        for schema in (tool.input_schema, tool.output_schema):
            assert schema is not None
            jsonschema.Draft202012Validator.check_schema(schema)
            for part in schemas_in(schema):
                assert "title" not in part, tool.name
                assert part.get("type") != "null", tool.name
                assert part.get("default", 0) is not None, tool.name


async def test_every_argument_has_a_description_an_example_and_bounds(
    tools: dict[str, Tool], subtests: pytest.Subtests
) -> None:
    for tool in tools.values():
        assert tool.input_schema["additionalProperties"] is False
        for name, argument in tool.input_schema["properties"].items():
            with subtests.test(tool=tool.name, argument=name):
                assert argument["description"]
                assert argument["examples"]
                for example in argument["examples"]:
                    jsonschema.validate(example, argument)
                assert bounded(argument), argument
                assert not {"exclusiveMinimum", "exclusiveMaximum", "anyOf", "$ref"} & argument.keys()
                # Hosts drop these keywords.
                kept = {key: argument[key] for key in ("minimum", "maximum", "default") if key in argument}
                if argument.get("maxLength", 0) == 10_000:
                    kept["maxLength"] = argument["maxLength"]
                for bound in () if tool.name in GALLERY else kept.values():
                    assert str(bound).removesuffix(".0") in argument["description"]


async def test_hints_say_what_a_call_does(tools: dict[str, Tool]) -> None:
    for name, tool in tools.items():
        hints = tool.annotations
        assert hints is not None
        assert hints.read_only_hint is (name in READ_ONLY), name
        assert hints.idempotent_hint is (name != "generate"), name
        assert hints.destructive_hint is (None if name in READ_ONLY else name in {"cancel", "gallery_delete"}), name
        assert hints.open_world_hint is (name not in {"list_generations", *GALLERY}), name


async def held_against_its_schema(client: Client, tools: dict[str, Tool], tool: str, **arguments: Any) -> Any:
    """The structured result, which its output schema must allow."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error
    schema = tools[tool].output_schema
    assert schema is not None
    # What a schema does not name is a field that no agent was told of.
    closed = {"unevaluatedProperties": False, **schema}
    checker = jsonschema.FormatChecker()
    jsonschema.validate(result.structured_content, closed, jsonschema.Draft202012Validator, format_checker=checker)
    return result.structured_content


async def test_every_result_is_what_its_output_schema_says_in_every_status(
    home: Home, tools: dict[str, Tool], fatthumb: FatThumb, betterwaifu: BetterWaifu
) -> None:
    betterwaifu.later_jobs(queue=1000.0)
    fatthumb.free_tier = True
    limits = {"FATTHUMB_LIMITS": "submit=1000/1", "BETTERWAIFU_LIMITS": "active=1,submit=1000/1"}
    seen: set[str] = set()
    async with connected(home.with_(fatthumb, betterwaifu, **limits)) as client:

        async def held(tool: str, **arguments: Any) -> Any:
            answer = await held_against_its_schema(client, tools, tool, **arguments)
            seen.update(
                generation["status"] for generation in answer.get("generations", [answer]) if "id" in generation
            )
            return answer

        fates: list[dict[str, Any]] = [{}, {"failing": {0: "no"}}, {"hidden": frozenset({0})}, {"duration": 1000.0}]
        for fate in fates:
            fatthumb.next_job(**fate)
        ids = [(await held("generate", prompt="a fox", count=2))["id"] for _ in fates]
        fatthumb.script("submit", Answer(402), Html(502))
        ids += [(await held("generate", prompt="a fox"))["id"] for _ in range(2)]
        waifu = {"provider": "betterwaifu", "prompt": "an owl", "seed": -1, "aspect_ratio": "16:9"}
        ids += [(await held("generate", **waifu))["id"] for _ in range(2)]
        await held("wait", generation_ids=[ids[0], ids[1], ids[2], ids[4], ids[5]], timeout_s=60)
        await held("wait", generation_ids=ids, timeout_s=0.1)
        for generation in ids:
            await held("get_status", generation_id=generation)
            await held("cancel", generation_id=generation)
        await held("list_generations", limit=1)
        await held("list_generations")
        await held("list_models")
        betterwaifu.stop()
        await held("list_models", provider="fatthumb")
        await held("gallery", generation_id=ids[0], index=1, action="view")
    async with connected(home) as client:
        await held("list_models")
        assert (await held("get_status", generation_id=ids[0]))["status"] == "succeeded"
    assert seen == {"queued", "processing", "succeeded", "partial", "failed", "cancelled"}

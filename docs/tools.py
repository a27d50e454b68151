"""The reference of tools, made from their schemas as agents are sent them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SNAPSHOTS = ROOT / "tests" / "snapshots"
ORDER = ("generate", "wait", "get_status", "cancel", "list_generations", "list_models", "gallery")
FOR_THE_PAGE = {"gallery_delete"}
"""Nobody but the gallery's own page can call these."""
HEAD = """# Tools

The schemas are JSON Schema; unknown arguments are refused. A result comes as text and as structured content with the
fields below. An error says in its text what happened, whether it was charged and what to do next:
[troubleshooting.md](troubleshooting.md).
"""
HINTS = {
    "readOnlyHint": "only reads",
    "destructiveHint": "may end something for good",
    "idempotentHint": "the same call again changes nothing more",
    "openWorldHint": "talks to services",
}

Schema = dict[str, Any]


def page() -> str:
    """The page."""
    others = sorted({file.stem for file in SNAPSHOTS.glob("*.json")} - {*ORDER, *FOR_THE_PAGE})
    tools = [json.loads((SNAPSHOTS / f"{name}.json").read_text("utf-8")) for name in (*ORDER, *others)]
    shared = tools[ORDER.index("generate")]["outputSchema"]
    sections = [section(tool, shared) for tool in tools]
    return "\n".join([HEAD, *sections, "## A generation", "", result(shared, shared)]) + "\n"


def section(tool: Schema, generation: Schema) -> str:
    """All about one tool."""
    hints = [words for name, words in HINTS.items() if tool["annotations"].get(name)]
    where = " Only hosts with MCP Apps list it." if tool["name"] == "gallery" else ""
    said = tool["description"] + where
    lines = [f"## {tool['name']}", "", said, "", f"*{'; '.join(hints).capitalize()}.*" if hints else "", ""]
    return "\n".join([*lines, arguments(tool["inputSchema"]), "", _returned(tool, generation), ""])


def arguments(schema: Schema) -> str:
    """The table of arguments."""
    needed = schema.get("required", [])
    rows = [
        f"| `{name}`{' (needed)' if name in needed else ''} | {_type(each)} | {_cell(each.get('description', ''))} | "
        f"{_example(each)} |"
        for name, each in sorted(schema["properties"].items(), key=lambda item: item[0] not in needed)
    ]
    return "\n".join(["| argument | type | meaning | example |", "|---|---|---|---|", *rows])


def result(schema: Schema, whole: Schema) -> str:
    """The table of fields."""
    rows = [f"| `{name}` | {kind} |" for name, kind in fields(schema, whole)]
    return "\n".join(["| field | type |", "|---|---|", *rows])


def fields(schema: Schema, whole: Schema, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Each field with its type, those inside others under their paths."""
    needed = schema.get("required", [])
    for name, each in sorted(schema.get("properties", {}).items(), key=lambda item: item[0] not in needed):
        if name == "generations":
            yield "generations[]", "list of [generations](#a-generation)"
            continue
        found = _resolved(each, whole)
        inner = _resolved(found.get("items", {}), whole) if found.get("type") == "array" else found
        listed = "[]" if found.get("type") == "array" else ""
        yield f"{prefix}{name}{listed}", f"{_type(found)}{'' if name in needed else ', where known'}"
        yield from fields(inner, whole, f"{prefix}{name}{listed}.")


def _returned(tool: Schema, generation: Schema) -> str:
    schema = tool["outputSchema"]
    if schema == generation:
        return "Returns [a generation](#a-generation)."
    return f"Returns:\n\n{result(schema, schema)}"


def _resolved(schema: Schema, whole: Schema) -> Schema:
    reference = schema.get("$ref", "")
    return whole["$defs"][reference.rpartition("/")[2]] if reference else schema


def _type(schema: Schema) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        item = _type(schema.get("items", {}))
        return f"list of {item if item.startswith('`') else _plural(item)}"
    return _plain(schema.get("type", "any"))


def _plain(kind: str | list[str]) -> str:
    names = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    return " or ".join(names.get(each, each) for each in ([kind] if isinstance(kind, str) else kind))


def _plural(kind: str) -> str:
    return kind if kind in {"text", "any"} else f"{kind}s"


def _example(schema: Schema) -> str:
    return ", ".join(f"`{json.dumps(each, ensure_ascii=False)}`" for each in schema.get("examples", []))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

"""The registration of a tool: a small schema, refusals that an agent can correct itself by, results as they are."""

import json
import logging
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, cast, get_type_hints

from mcp import MCPError
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from mcp.types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from darkroom.errors import DarkroomError, NotConfigured, invalid_arguments
from darkroom.redact.text import clean
from darkroom.tools.arguments import given, unknown

log = logging.getLogger(__name__)


class AgentTool(Tool):
    """A tool whose errors are sentences: what happened, whether it was charged, what to do next.

    `returns`: the model that its structured results are made of.
    """

    returns: Annotated[type[BaseModel], Field(exclude=True)] = BaseModel

    async def run(
        self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False
    ) -> CallToolResult | InputRequiredResult:
        """Checks the arguments, runs the tool, and turns every DarkroomError into a result that the agent reads."""
        try:
            self.check(arguments)
            return await super().run(self._given(arguments), context, convert_result)
        except DarkroomError as error:
            return error_result(error)
        except Exception as error:
            if isinstance(error.__cause__, DarkroomError):
                return error_result(error.__cause__)
            if isinstance(error, MCPError) or isinstance(error.__cause__, ToolError):  # only a question meets these
                log.warning("%s: asking the user failed: %s", self.name, clean(str(error)))
                return error_result(_not_asked())
            log.exception("%s failed in a way that was not foreseen", self.name)
            return refused(self._unforeseen())

    def describe(self) -> None:
        """Makes the schemas that clients are shown: at a start, the list is nearly always answered from a snapshot."""
        arguments = self.fn_metadata.arg_model.model_json_schema(schema_generator=_InputSchema)
        self.parameters = {**arguments, "additionalProperties": False}
        self.fn_metadata.output_schema = _returned(self.returns)

    def check(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments as the tool is called with them, defaults filled in. Raises InvalidRequest."""
        fields = self.fn_metadata.arg_model.model_fields
        strange = unknown(arguments, fields)
        others = [f"{self.name} has no argument {', '.join(strange)}; it has {', '.join(fields)}"] if strange else []
        try:
            found = self.fn_metadata.validate_arguments(self._given(arguments))
        except ValidationError as error:
            raise invalid_arguments(error, others=others) from error
        if others:
            raise invalid_arguments(None, others=others)
        return found

    def _unforeseen(self) -> str:
        costs = self.annotations is not None and not self.annotations.idempotent_hint
        return f"{unforeseen(self.name)} " + (
            "Charged: maybe. What was begun goes on: call list_generations before you call it again."
            if costs
            else "Charged: no. Nothing is lost; call it again."
        )

    def _given(self, arguments: dict[str, Any]) -> dict[str, Any]:
        fields = self.fn_metadata.arg_model.model_fields
        return given(arguments, fields, [name for name, field in fields.items() if field.is_required()])


class _AsGiven(FuncMetadata):
    """Text stays text: what of it is JSON each argument knows for itself."""

    def pre_parse_json(self, data: dict[str, Any]) -> dict[str, Any]:
        """Nothing is parsed."""
        return data


def agent_tool(fn: Callable[..., Any], *, title: str, annotations: ToolAnnotations) -> AgentTool:
    """The function as a tool: its docstring is what the agent reads, its annotations are the schema.

    It returns an `Annotated[CallToolResult, Model]`, whose structured content is made of the model.
    """
    # Structured output is ours: the SDK would make a schema at each start, and validate what a model has just made.
    description = " ".join((fn.__doc__ or "").split())
    tool = AgentTool.from_function(fn, description=description, title=title, structured_output=False)
    if not isinstance(tool, AgentTool):
        raise TypeError("from_function returns the class that it is called on")
    tool.returns = get_type_hints(fn, include_extras=True)["return"].__metadata__[0]
    tool.annotations = annotations
    tool.fn_metadata = _AsGiven(**dict(tool.fn_metadata))
    return tool


class _InputSchema(GenerateJsonSchema):
    """JSON Schema without what an agent pays for and does not need: generated titles, nulls, docstrings of models."""

    def generate(self, schema: core_schema.CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        """A definition that is used once stands where it is used; the others are shared by `$defs`."""
        root = _bare(super().generate(schema, mode))
        definitions: dict[str, Any] = {name: _bare(part) for name, part in root.pop("$defs", {}).items()}
        text = json.dumps([root, definitions])
        once = {name for name in definitions if text.count(f'"{_DEFS}{name}"') == 1}
        shared = {name: part for name, part in definitions.items() if name not in once}
        whole = {"$defs": shared, **root} if shared else root
        return _inlined(whole, {_DEFS + name: definitions[name] for name in once})

    def field_title_should_be_set(self, schema: Any) -> bool:
        """No titles: they repeat the names."""
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """The schema without null: an argument that may be null may be absent, and absent is preferred."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """A default of null is no default."""
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Any object at all is what `object` means by itself."""
        return {k: v for k, v in super().dict_schema(schema).items() if (k, v) != ("additionalProperties", True)}


class _OutputSchema(_InputSchema):
    """The same for results, whose defaults are always written out."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """No defaults."""
        return self.generate_inner(schema["schema"])

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        """A time is a text: its form, which the name and each value show, would be paid for fifteen times."""
        return {"type": "string"}


@cache
def _returned(model: type[BaseModel]) -> dict[str, Any]:
    # Made once for all tools that return it: it is most of the time that a list takes.
    return TypeAdapter(model).json_schema(schema_generator=_OutputSchema)


_DEFS = "#/$defs/"


def _bare(schema: JsonSchemaValue) -> JsonSchemaValue:
    return {name: part for name, part in schema.items() if name not in {"title", "description"}}


def _inlined(part: Any, once: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_inlined(item, once) for item in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    schema = cast("dict[str, Any]", part)
    target = once.get(schema["$ref"]) if isinstance(schema.get("$ref"), str) else None
    if target is not None:
        schema = {**target, **{name: value for name, value in schema.items() if name != "$ref"}}
    return {name: _inlined(value, once) for name, value in schema.items()}


def _not_asked() -> NotConfigured:
    return NotConfigured(
        "The user must be asked before this is paid for, but the host did not answer the question as it should.",
        next_step="Nothing was sent. Tell the user: unset DARKROOM_CONFIRM, or use a host that can ask.",
    )


def unforeseen(where: str) -> str:
    """The sentence on a fault of our own; its own words, which may quote anything, stay in the log."""
    return f"Darkroom itself failed in {where}, in a way that was not foreseen; its log says how."


def error_result(error: DarkroomError) -> CallToolResult:
    """The refusal as text; no structured content, since hosts hold that against the tool's output schema."""
    return refused(str(error))


def refused(text: str) -> CallToolResult:
    """The same of an error that was written down."""
    return CallToolResult(content=[TextContent(text=text)], is_error=True)

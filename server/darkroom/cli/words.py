"""Words for a person at a terminal: advice for agents reworded, and counts."""

import re

COMMANDS = {
    "get_status": "status", "list_models": "models", "list_generations": "list",
    "wait": "wait", "generate": "generate", "cancel": "cancel",
}  # fmt: skip
_TOOLS = "|".join(COMMANDS)
_CALL = re.compile(rf"\b([Cc])all ({_TOOLS})\b(?: with (?=gen_|\[|cursor))?(\[[^\]]*\])?")
_NAMED = re.compile(r"\b(?:get_status|list_models|list_generations)\b")
_AGAIN = re.compile(r"\b([Cc])all again\b")


def for_people(text: str) -> str:
    """The text with commands in place of tools: `call wait with ["gen_x"]` is `run darkroom-mcp wait gen_x`."""
    text = _CALL.sub(_command, text)
    text = _NAMED.sub(lambda found: f"darkroom-mcp {COMMANDS[found[0]]}", text)
    text = _AGAIN.sub(lambda found: "Try again" if found[1] == "C" else "try again", text)
    text = text.replace("the structured result names", "--json names").replace("Tell the user, and try", "Try")
    return text.replace("Pass next_cursor of the page before", "Pass the cursor of the page before")


def counted(number: int, thing: str) -> str:
    """So many of a thing: `1 picture`, `2 pictures`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _command(found: re.Match[str]) -> str:
    run = "Run" if found[1] == "C" else "run"
    ids = " ".join(re.findall(r'"([^"]*)"', found[3] or ""))
    return f"{run} darkroom-mcp {COMMANDS[found[2]]}" + (" " if " with " in found[0] else "") + ids

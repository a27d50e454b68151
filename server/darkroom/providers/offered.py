"""The services whose files are shipped: names and variables only, so that a start without them reads no file."""

from collections.abc import Collection, Mapping

OFFERED: Mapping[str, str | None] = {
    "automatic1111": None,
    "bfl": "BFL_API_KEY",
    "civitai": "CIVITAI_API_TOKEN",
    "dashscope": "DASHSCOPE_API_KEY",
    "fal": "FAL_KEY",
    "freepik": None,
    "gemini": "GEMINI_API_KEY",
    "horde": None,
    "ideogram": "IDEOGRAM_API_KEY",
    "kling": None,
    "krea": None,
    "leonardo": None,
    "luma": "LUMAAI_API_KEY",
    "midjourney-proxy": None,
    "modelslab": None,
    "openai": "OPENAI_API_KEY",
    "recraft": "RECRAFT_API_TOKEN",
    "replicate": "REPLICATE_API_TOKEN",
    "runway": "RUNWAYML_API_SECRET",
    "scenario": None,
    "sdcpp": None,
    "seedream": "ARK_API_KEY",
    "stability": "STABILITY_API_KEY",
    "together": "TOGETHER_API_KEY",
}
"""By name, each with the variable that the vendor's own documentation names for its key, where there is one."""
KEYLESS = frozenset({"automatic1111", "midjourney-proxy", "sdcpp"})
"""Those that can be used without a key, where their base URL is set."""

IN_CODE: Mapping[str, str] = {"comfyui": "darkroom.providers.comfyui.client:DECLARATION"}
"""Those that need code and that few people need, by name: where the declaration is, as an entry point would say it."""
NAMES = (*OFFERED, *IN_CODE)
_UNUSUAL = frozenset({*KEYLESS, *IN_CODE})


def variable_of(name: str) -> str:
    """The variable that a service can be used with once it is set."""
    return f"DARKROOM_{name.upper().replace('-', '_')}_{'BASE_URL' if name in _UNUSUAL else 'KEY'}"


def more_than(declared: Collection[str]) -> str | None:
    """A line that names the services that are not configured; None: there is none."""
    others = [name for name in NAMES if name not in declared]
    if not others:
        return None
    usual = min(others, key=lambda name: name in _UNUSUAL)  # most need a key, so that a key is the example
    return f"Also there, each once it is set up ({variable_of(usual)}): {', '.join(others)}."

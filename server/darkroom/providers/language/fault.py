"""A fault of a declaration: the place in its file, and a sentence about it."""

from difflib import get_close_matches

ASKED = frozenset({"prompt", "model", "count", "aspect_ratio", "negative_prompt", "seed"})
_SHARED = frozenset(
    {
        "amazonaws.com", "appspot.com", "azurewebsites.net", "cloudfront.net", "fly.dev", "github.io", "googleapis.com",
        "gradio.live", "herokuapp.com", "hf.space", "modal.run", "netlify.app", "ngrok.io", "onrender.com", "pages.dev",
        "r2.dev", "run.app", "vercel.app", "windows.net", "workers.dev",
    }
)  # fmt: skip
"""Domains below which anybody may have a host of their own."""
_CLOUDS = (".amazonaws.com", ".googleapis.com", ".windows.net")
"""Ends of further ones, as of `s3.amazonaws.com`."""
_SECOND_LEVELS = {"ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"}


class Fault(str):
    """A sentence about a fault. `where`: the path of the key or table in the file."""

    where: tuple[str | int, ...]

    def __new__(cls, where: tuple[str | int, ...], says: str) -> "Fault":
        """The sentence, behind the path with its elements counted from 1."""
        named = ".".join(str(part + 1 if isinstance(part, int) else part) for part in where)
        fault = super().__new__(cls, f"{named}: {says}" if named else says)
        fault.where = where
        return fault


def shared(domain: str) -> bool:
    """True where hosts below the domain belong to different people."""
    first, _, last = domain.rpartition(".")
    if domain.endswith(_CLOUDS):
        return True
    return domain in _SHARED or (len(last) == 2 and first in _SECOND_LEVELS)


def unknown(name: str, names: frozenset[str]) -> str:
    """The sentence about a name that is none of these."""
    if name in {"key", "api_key", "apikey", "token", "secret"}:
        return f"there is no name {name}: the key is sent as [auth] says, in a header or (auth.body) in the body"
    option = name.removeprefix("options.")
    if option != name:
        return f"there is no option {option}: declare it under [accepts.options], or leave it out"
    if "job" in names and name.endswith("id"):
        return f"there is no name {name}: the id that submit.job found is job, so write {{job}} in a path"
    close = get_close_matches(name, names, 1)
    meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(names)) or 'none here'}"
    return f"there is no name {name}: {meant}"

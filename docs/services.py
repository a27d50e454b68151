"""The page on services, made from what each of them declares."""

from collections.abc import Iterator
from dataclasses import dataclass

from darkroom.declaration import Declaration, Traits
from darkroom.prices import Prices
from darkroom.providers.comfyui.client import DECLARATION as COMFYUI
from darkroom.providers.declared import DECLARED
from darkroom.providers.language.files import SHIPPED, Source
from darkroom.providers.language.offers import limits_of, traits_of
from darkroom.providers.offered import OFFERED, variable_of

HEAD = """# Services

A service is there as soon as its variable is set: most need a key, those on your own machine an address.
`darkroom-mcp models` shows which are there, and `darkroom-mcp doctor` whether each key is taken. A service that is not
listed is one file: [add-a-service.md](add-a-service.md).

Prices are those that the services published on the date beside them. A price in `list_models` and in results is an
estimate from this list until the service has said its own. Where Darkroom knows no price, a `DARKROOM_BUDGET` in money
refuses the call.
"""
MAKES = {
    "fatthumb": "thumbnails for videos",
    "betterwaifu": "illustrations of characters",
    "sketch": "placeholders, drawn by Darkroom itself without a network; not by an AI model",
    "comfyui": "whatever your own workflows make: [comfyui.md](comfyui.md)",
}
"""The services in code, in words; those in files are told by their models."""
COSTS = {
    "fatthumb": "credits",
    "betterwaifu": "credits",
    "horde": "kudos",
    "automatic1111": "nothing on a machine of yours",
    "sdcpp": "nothing on a machine of yours",
    "midjourney-proxy": "a subscription to Midjourney",
}
"""The cost of those that have no price list, where there is more to say than that the service charges for them."""
SITES = {"fatthumb": "https://fatthumb.klaas.pro", "betterwaifu": "https://betterwaifu.com"}


@dataclass(frozen=True)
class Service:
    """One service as the page tells it."""

    name: str
    traits: Traits
    limits: str
    variables: tuple[str, ...]
    site: str | None

    @classmethod
    def in_code(cls, declared: Declaration) -> "Service":
        """One that is a Python module."""
        variables = declared.key_variables if declared.needs_key else declared.variables("BASE_URL")
        used = variables if declared.base_url else ()
        return cls(declared.name, declared.traits, declared.limits, used, SITES.get(declared.name))

    @classmethod
    def in_file(cls, name: str, vendors: str | None) -> "Service":
        """One that a shipped file declares."""
        service = Source.of((SHIPPED / f"{name}.toml").read_bytes()).service
        variables = tuple(filter(None, (vendors, variable_of(name))))
        return cls(name, traits_of(service), limits_of(service), variables, service.docs)


def services() -> list[Service]:
    """All that come with Darkroom: those in code first, then by name."""
    coded = [Service.in_code(each) for each in (*DECLARED.values(), COMFYUI)]
    return coded + [Service.in_file(name, vendors) for name, vendors in sorted(OFFERED.items())]


def page() -> str:
    """The page."""
    found = services()
    rows = [
        f"| [{title(each)}](#{anchor(each)}) | {_or(each.variables) or 'none is needed'} | {_short_cost(each)} |"
        for each in found
    ]
    table = "\n".join(["| service | variable | cost |", "|---|---|---|", *rows])
    return "\n".join([HEAD, table, *map(section, found)])


def section(service: Service) -> str:
    """All about one service."""
    lines = [f"\n## {title(service)}\n", *(f"- **{name}:** {said}" for name, said in facts(service) if said)]
    return "\n".join(lines)


def facts(service: Service) -> Iterator[tuple[str, str]]:
    """Each fact under its name; an empty one is left out."""
    traits = service.traits
    yield "Provider", f"`{service.name}`"
    yield "Variable", _or(service.variables)
    yield "Keys and documentation", f"<{service.site}>" if service.site else ""
    yield "Makes", MAKES.get(service.name, "")
    yield "Models", _models(traits)
    yield "Pictures a call", "1" if traits.max_count == 1 else f"1 to {traits.max_count}"
    yield "Aspect ratios", ", ".join(traits.aspect_ratios)
    yield "Works from pictures", _images(traits)
    yield "Also takes", ", ".join(_arguments(traits))
    yield "Cost", _cost(service)
    yield "Limits of a key", _limits(service.limits)
    yield "Gives up after", f"{traits.deadline_s / 60:g} minutes"
    yield "Cancelling", "asks the service to stop the job" if traits.cancels else "only what was not sent yet"
    yield "Keeps its pictures for", f"{traits.lasts_s / 60:g} minutes" if traits.lasts_s else ""


def title(service: Service) -> str:
    """Its title in a form whose anchor is the same wherever the page is shown."""
    return service.traits.title.replace(" / ", " and ")


def anchor(service: Service) -> str:
    """The anchor of its section."""
    kept = "".join(letter for letter in title(service).lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def _or(variables: tuple[str, ...]) -> str:
    return " or ".join(f"`{name}`" for name in variables)


def _models(traits: Traits) -> str:
    if traits.models is None:
        usual = f"; by default `{traits.default_model}`" if traits.default_model else ""
        return f"any id that the service has{usual}"
    if traits.models == ("default",):
        return ""
    return ", ".join(f"`{name}`{' (default)' if name == traits.default_model else ''}" for name in traits.models)


def _images(traits: Traits) -> str:
    images = traits.images
    if images is None:
        return ""
    mask = ", and a mask" if images.mask else ""
    only = f", with {', '.join(f'`{name}`' for name in images.models)}" if images.models else ""
    return f"up to {images.max}{mask}{only}"


def _arguments(traits: Traits) -> Iterator[str]:
    if traits.seed:
        yield "`seed`"
    if traits.negative_prompt:
        yield "`negative_prompt`"
    if options := list(traits.options.model_fields):
        yield f"options {', '.join(f'`{name}`' for name in options)}"


def _short_cost(service: Service) -> str:
    prices = service.traits.prices
    if service.traits.free:
        return "nothing"
    if prices is None:
        return COSTS.get(service.name, "what the service charges; no price is known here")
    lowest = min(prices.lines, key=lambda line: line.money.micros).money
    return f"from {lowest} a {'picture' if prices.per_picture else 'call'}"


def _cost(service: Service) -> str:
    prices = service.traits.prices
    if prices is None:
        return _short_cost(service)
    link, _, words = prices.source.partition(" ")
    source = f"[source]({link}){words and ' '}{words}" if link.startswith("https:") else prices.source
    return f"{_listed(prices)} ({source}, {prices.date})"


def _listed(prices: Prices) -> str:
    models = dict.fromkeys(line.model for line in prices.lines)
    return "; ".join(f"{f'`{name}` ' if name else ''}{prices.said_of(name or '')}" for name in models)


def _limits(written: str) -> str:
    return "; ".join(_limit(*part.split("=")) for part in written.split(",") if part)


def _limit(what: str, much: str) -> str:
    if thing := {"active": "job", "pictures": "picture"}.get(what):
        return f"{much} {thing}{'' if much == '1' else 's'} at a time"
    number, _, seconds = much.partition("/")
    return f"{number} {'submission' if what == 'submit' else 'request'}{'' if number == '1' else 's'} in {seconds} s"

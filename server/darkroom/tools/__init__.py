"""One file per conversation with the agent, and this list of them all."""

from collections.abc import Awaitable, Callable, Collection, Iterator

from darkroom.generations.desk import Whose
from darkroom.providers.catalogue import Catalogue
from darkroom.tools.cancel import cancel_tool
from darkroom.tools.confirm import Confirmation
from darkroom.tools.generate import generate_tool
from darkroom.tools.get_status import get_status_tool
from darkroom.tools.list_generations import list_generations_tool
from darkroom.tools.list_models import list_models_tool
from darkroom.tools.results import Results
from darkroom.tools.tool import AgentTool
from darkroom.tools.wait import wait_tool


def every_tool(
    whose: Whose,
    catalogue: Callable[[str | None], Awaitable[Catalogue]],
    confirmation: Confirmation,
    results: Results,
    providers: Collection[str],
) -> Iterator[AgentTool]:
    """The tools, in the order in which an agent needs them. `providers`: the names that they take."""
    yield generate_tool(whose, confirmation, results, providers)
    yield wait_tool(whose, results)
    yield get_status_tool(whose, results)
    yield cancel_tool(whose, results)
    yield list_generations_tool(whose, results, providers)
    yield list_models_tool(catalogue, providers)

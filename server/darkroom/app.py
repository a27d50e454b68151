"""The composition root: settings in, everything built once and handed down, an MCP server or a command line out."""

import logging
import sys
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

import anyio

from darkroom import __version__
from darkroom.errors import DarkroomError
from darkroom.generations.collect import Collector
from darkroom.generations.driver import Driver
from darkroom.generations.journal import Journal
from darkroom.generations.observer import Observer
from darkroom.generations.peers import Peers
from darkroom.generations.progress import Changes
from darkroom.generations.service import Service
from darkroom.models import LOCAL_OWNER
from darkroom.providers import registry
from darkroom.providers.catalogue import Catalogue, Models, catalogue
from darkroom.redact import Redactor
from darkroom.settings import Settings
from darkroom.store.database import open_database
from darkroom.store.presence import present
from darkroom.store.sqlite import SqliteLedger
from darkroom.store.tasks import TaskRows
from darkroom.transport.client import open_http

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

INSTRUCTIONS = (
    "Makes pictures with generation services. generate answers at once with an id; call wait with it until the "
    "pictures are saved. Nothing is lost if you stop waiting: the work goes on, and get_status or wait picks it "
    "up later, also after a restart. Do not call generate again for the same picture because it is slow: each "
    "call is paid for."
)


@dataclass(frozen=True)
class AppContext:
    """What the front doors need."""

    settings: Settings
    service: Service
    registry: registry.Registry
    tasks: TaskRows
    observer: Observer
    models: Models

    async def catalogue(self, provider: str | None = None) -> Catalogue:
        """What the providers offer. Raises InvalidRequest where there is no provider of that name."""
        return await catalogue(self.registry, self.settings.limits, provider)


@asynccontextmanager
async def open_app(settings: Settings, *, drives: bool = True) -> AsyncGenerator[AppContext]:
    """Everything that lives as long as the process does. `drives` False: it only looks, and moves nothing on.

    Raises:
        StorageError: the ledger cannot be used.
    """
    with unwrapped():
        async with open_http() as http, open_database(settings.home) as database, anyio.create_task_group() as tasks:
            with present(settings.home) as presence:
                ledger = SqliteLedger(database)
                providers = registry.build(settings, http, Redactor(settings.secrets))
                changes = Changes()
                journal = Journal(ledger, changes)
                collector = Collector(journal, settings.pictures)
                driver = Driver(journal, providers, presence.id, collector, tasks)
                peers = Peers(ledger, presence, providers, changes)
                if drives:
                    await peers.adopt_the_dead(driver)
                    driver.start()
                    peers.start(tasks, driver)
                service = Service(journal, changes, providers, driver, presence.id, tasks, budget=settings.budget)
                try:
                    observer = Observer(service, ledger, changes, tasks)
                    models = Models(providers, settings.limits)
                    yield AppContext(settings, service, providers, TaskRows(database), observer, models)
                finally:
                    driver.close()
                    tasks.cancel_scope.cancel()


@contextmanager
def unwrapped() -> Generator[None]:
    """A task group wraps even the one error of its body; callers want that error itself."""
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from group.exceptions[0].__cause__
        raise


class Refusing:
    """Stands where the service and the like would if nothing could be opened: all that is asked is refused with it."""

    def __init__(self, error: DarkroomError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error.with_traceback(None)

    async def catalogue(self, provider: str | None = None) -> Catalogue:
        """Refuses as well."""
        raise self._error.with_traceback(None)


def build_server(app: AppContext | DarkroomError) -> "MCPServer":
    """The MCP server over this context; its tools are bound to it.

    Over an error instead, the same tools and resources answer that error: an agent can tell its user what a server
    that does not start never could.
    """
    # The SDK takes most of the start-up time, and the command line never needs it.
    from darkroom.extensions.gallery import gallery_page, with_gallery  # noqa: PLC0415
    from darkroom.extensions.generation_tasks import GenerationTasks  # noqa: PLC0415
    from darkroom.extensions.tasks import Tasks  # noqa: PLC0415
    from darkroom.prompts import every_prompt  # noqa: PLC0415
    from darkroom.resources.server import DarkroomServer  # noqa: PLC0415
    from darkroom.tools import every_tool  # noqa: PLC0415
    from darkroom.tools.confirm import Confirmation  # noqa: PLC0415

    if isinstance(app, AppContext):
        service, rows, catalogue_of, asked_over = app.service, app.tasks, app.catalogue, app.settings.confirm_over
        sources = (app.service, app.observer, app.models)
        file_manager = app.settings.file_manager
    else:
        refusing: Any = Refusing(app)
        service, rows, catalogue_of, asked_over = refusing, refusing, refusing.catalogue, None
        sources = (refusing, refusing, refusing)
        file_manager = None
    tools = {tool.name: tool for tool in every_tool(service, catalogue_of, Confirmation(service, asked_over))}
    tasks = Tasks(GenerationTasks(service, rows, tools["wait"]), caller=lambda _: LOCAL_OWNER)
    server = DarkroomServer(
        *sources,
        name="darkroom",
        title="Darkroom",
        version=__version__,
        instructions=INSTRUCTIONS,
        tools=list(with_gallery(tools.values(), service, file_manager)),
        extensions=[gallery_page(), tasks],
        middleware=[tasks.listen],
    )
    for prompt in every_prompt():
        server.add_prompt(prompt)
    return server


async def serve_stdio(server: "MCPServer", out: TextIO) -> None:
    """Serves MCP on stdin and `out` until stdin ends."""
    from mcp.server.stdio import stdio_server  # noqa: PLC0415 - as above

    # The server's own way of running on stdio takes file descriptor 1 and gives it back at the end, each time with a
    # moment in which a print of another thread would land between two messages. Only the server inside it can be
    # given streams.
    inner = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
    async with stdio_server(stdout=anyio.wrap_file(out)) as (incoming, outgoing):
        await inner.run(incoming, outgoing, inner.create_initialization_options())


def configure_logging(level: int, secrets: Iterable[str]) -> None:
    """Sends the log to stderr, with every secret taken out."""
    redact = Redactor(secrets)

    class Redacted(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return redact(super().format(record))

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacted("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])

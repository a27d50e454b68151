"""The looks at a job and the pauses between them, and what one provider's failing looks may take."""

import anyio

PATIENCE_S = 5.0


class RetryAllowance:
    """Looks after a failed one, shared by all generations of a provider.

    A failing provider is asked by a few, not by all at once; the first success lets everybody go on.
    """

    CAPACITY = 30
    PER_S = 0.8

    def __init__(self) -> None:
        self._tokens = float(self.CAPACITY)
        self._at = anyio.current_time()
        self._turn = anyio.Lock()
        self._recovered = anyio.Event()

    async def draw(self) -> None:
        """Waits for its turn, and for a retry to be left."""
        async with self._turn:
            while not self._take():
                self._recovered = anyio.Event()
                with anyio.move_on_after((1.0 - self._tokens) / self.PER_S):
                    await self._recovered.wait()

    def succeeded(self) -> None:
        """The provider responds again."""
        self._tokens = float(self.CAPACITY)
        self._recovered.set()

    def _take(self) -> bool:
        now = anyio.current_time()
        self._tokens = min(self._tokens + (now - self._at) * self.PER_S, float(self.CAPACITY))
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Looks:
    """The looks at one job: the pause between them, and a bell that asks for one now. Times are the event loop's."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._due = float("inf")
        self._firm = False
        self._asleep: anyio.CancelScope | None = None
        # Made while somebody waits: of thousands of jobs nearly all pause, and nobody waits for their looks.
        self._looked: anyio.Event | None = None

    async def pause(self, seconds: float) -> None:
        """Waits that long, or until a time that somebody asks for meanwhile; a firm pause is kept whole."""
        self._due = anyio.current_time() + seconds
        while self._due > anyio.current_time():
            with anyio.CancelScope() as self._asleep:  # a timeout of its own would cost several times as much
                await anyio.sleep_until(self._due)
        self._asleep = None

    def done(self, *, firm: bool) -> None:
        """A look has ended; `firm`: the pause after it must not be cut short."""
        self._last, self._firm = anyio.current_time(), firm
        if self._looked is not None:
            self._looked.set()
            self._looked = None

    def by(self, time: float) -> None:
        """Asks for a look at this time, if that is sooner, unless the pause is firm."""
        if not self._firm and time < self._due:
            self._due = time
            if self._asleep is not None:
                self._asleep.cancel()

    def ring(self, shortest_s: float) -> None:
        """Asks for a look as soon as the last is `shortest_s` old, unless the pause is firm."""
        self.by(self._last + shortest_s)

    async def once_more(self, shortest_s: float) -> None:
        """Asks for a look and waits a little for it; the last one does where it is younger than `shortest_s`."""
        if self._firm or anyio.current_time() - self._last < shortest_s:
            return
        self.ring(shortest_s)
        looked = self._looked = self._looked or anyio.Event()
        with anyio.move_on_after(PATIENCE_S):
            await looked.wait()

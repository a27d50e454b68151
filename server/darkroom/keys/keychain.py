"""The system's keychain (of macOS, Windows or a Linux desktop), which may hang, ask its user, or not be there."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

SERVICE = "darkroom-mcp"
"""The name that entries have there, each for the name of a provider."""


def read(names: Iterable[str], within_s: float) -> dict[str, str | None]:
    """The keys of these, as far as they come in that many seconds; None: the keychain has none, or is not there."""
    found: dict[str, str | None] = {}

    def look() -> None:
        backend = _quietly(_backend)
        for name in names:
            found[name] = _quietly(lambda name=name: backend.get_password(SERVICE, name)) if backend else None

    _within(within_s, look)
    return dict(found)


def keep(name: str, key: str, within_s: float) -> bool:
    """Keeps the key there; False where that cannot be done, or not in that many seconds."""
    done: list[bool] = []

    def put() -> None:
        backend = _backend()
        if backend is not None:
            backend.set_password(SERVICE, name, key)
            done.append(backend.get_password(SERVICE, name) == key)

    _within(within_s, lambda: _quietly(put))
    return done == [True]


def forget(name: str, within_s: float) -> bool:
    """Deletes it there; False where that cannot be done, or not in that many seconds."""
    done: list[bool] = []

    def delete() -> None:
        backend = _backend()
        if backend is not None and backend.get_password(SERVICE, name) is not None:
            backend.delete_password(SERVICE, name)
        done.append(backend is not None)

    _within(within_s, lambda: _quietly(delete))
    return done == [True]


def _backend() -> Any:
    """The keychain; None where there is none that a desktop would recommend."""
    import keyring  # noqa: PLC0415 - it looks for every kind of keychain, which takes long
    import keyring.core  # noqa: PLC0415

    backend = keyring.get_keyring()
    core: Any = keyring.core
    return backend if core.recommended(backend) else None


def _quietly(work: Callable[[], Any]) -> Any:
    """Its result; None where it fails: keychains raise whatever their systems do."""
    try:
        return work()
    except Exception:
        return None


def _within(seconds: float, work: Callable[[], object]) -> None:
    """Does it on a thread that is left behind if it takes longer: nothing can interrupt a keychain that hangs."""
    thread = threading.Thread(target=lambda: _quietly(work), daemon=True)
    thread.start()
    thread.join(seconds)

"""A kit for people who add providers: a service of their own on loopback, and what Darkroom promises tried with it.

    with DeclaredService(Path("easel.toml").read_text()) as service:
        prove(tmp_path, service)

Needs nothing but Darkroom itself, and no key, network or test framework.
"""

from darkroom.testing.conformance import prove
from darkroom.testing.declared import DeclaredService
from darkroom.testing.service import Answer, Asked, Service

__all__ = ["Answer", "Asked", "DeclaredService", "Service", "prove"]

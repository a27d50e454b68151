"""Buckets of an object store, as the environment names them, and the variables that are secrets of it."""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from darkroom.environment import Environment, folder_of, misset
from darkroom.errors import NotConfigured

MAX_BUCKET = 500
"""Bytes of a bucket's URL: a key has at most 1,024, and ours need half of them."""
OBJECT_STORE_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SSE_CUSTOMER_KEY_BASE64")
"""Variables of an object store that are secrets."""
OBJECT_STORE_KEYS = (*OBJECT_STORE_SECRETS, "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN")
"""The same with those that stand in each link that it signs: they are of no use without the secrets."""


@dataclass(frozen=True)
class Bucket:
    """A bucket of an object store, and the beginning of every key in it: empty, or ending with a slash.

    `plain`: its endpoint is reached without TLS. `keyless`: no key to it is set, so the machine's own role is used.
    """

    name: str
    prefix: str = ""
    plain: bool = False
    keyless: bool = False

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}"


def place_of(env: Environment, in_any_folder: bool) -> Path | Bucket | NotConfigured | None:
    """The place that DARKROOM_PICTURES names; None where it names none, an error where it cannot be meant."""
    if "://" not in env.given("DARKROOM_PICTURES"):
        return folder_of(env, "DARKROOM_PICTURES", in_any_folder)
    text = env.text("DARKROOM_PICTURES")
    if not text:
        return None
    named = re.fullmatch(r"s3://([A-Za-z0-9][A-Za-z0-9._-]{1,62})(?:/([^?#]*))?", text, re.I)
    parts = [part for part in (named[2] or "").split("/") if part] if named else []
    if named is None or {".", ".."} & set(parts) or not text.isprintable() or len(text.encode()) > MAX_BUCKET:
        env.spoilt.append(text)
        return misset("DARKROOM_PICTURES", "it is a folder's path, or s3://bucket/prefix")
    if find_spec("obstore") is None:
        return NotConfigured(
            "DARKROOM_PICTURES names an object store, and what it takes to use one is not installed here.",
            next_step="Install darkroom-mcp[s3] in place of darkroom-mcp, and start again. Nothing was sent.",
        )
    endpoint = env.given("AWS_ENDPOINT_URL_S3") or env.given("AWS_ENDPOINT_URL") or env.given("AWS_ENDPOINT")
    return Bucket(
        named[1],
        "".join(f"{part}/" for part in parts),
        plain=endpoint.lower().startswith("http://"),
        keyless=not env.given("AWS_ACCESS_KEY_ID"),
    )

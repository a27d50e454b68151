"""OpenTelemetry: one trace from the call to the pictures, also after another process took over, and nothing private."""

import subprocess
import sys
import time

from anyio import to_thread

from tests.hosts import PATIENCE_S, Home, RawServer, call, connected, darkroom, eventually, over, running
from tests.services.collector import Collector, Span
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer

PROMPT = "a canary that sings"
CALL = "tools/call generate"
OF = {"provider": "fatthumb"}
ONCE = ("rate_limited", "retries", "generation.queued", "generation.duration", "generation.looks")
PATIENT = """
from darkroom.app import collected
import runpy
collected.FLUSHED_WITHIN_S = 100.0
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""
"""A command that takes all the time that a slow machine needs to send what it measured."""


def has_all(collector: Collector) -> bool:
    """Whether everything has come that one generation, refused once, is traced and measured by."""
    names = [span.name for span in collector.spans]
    return (
        {CALL, "follow", "collect"} <= {*names}
        and names.count("submit") == 2
        and all(collector.total(f"darkroom.{once}", **OF) for once in ("generations", *ONCE))
    )


def steps(collector: Collector) -> dict[str, list[Span]]:
    """The spans of the one traced `generate`, by name."""
    (called,) = [span for span in collector.spans if span.name == CALL]
    found: dict[str, list[Span]] = {}
    for span in collector.spans:
        if span.trace == called.trace:
            found.setdefault(span.name, []).append(span)
    return found


async def test_one_trace_leads_from_the_call_to_the_pictures_and_quotes_nothing(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.script("submit", Answer(429, {"error": "Too many"}, headers={"retry-after": "1"}))
    with Collector() as collector:
        async with connected(home.with_(fatthumb, **collector.environ), "2026-07-28") as client:
            generation = (await call(client, "generate", prompt=PROMPT, provider="fatthumb"))["id"]
            await over(client, generation)
            await to_thread.run_sync(eventually, lambda: has_all(collector))  # while the server has time for it
        found = steps(collector)
        (called,) = found[CALL]
        assert {name: len(spans) for name, spans in found.items()} == {CALL: 1, "submit": 2, "follow": 1, "collect": 1}
        (follow,), (collect,) = found["follow"], found["collect"]
        assert [span.parent for span in (*found["submit"], follow, collect)] == [*[called.id] * 3, follow.id]
        assert {span.attributes["darkroom.generation"] for span in (*found["submit"], follow, collect)} == {generation}
        assert "rate_limited" in {span.attributes.get("error.type") for span in found["submit"]}
        assert len(follow.events) == int(follow.attributes["darkroom.looks"]) >= 1
        assert follow.attributes["darkroom.outcome"] == "succeeded"
        assert collector.total("darkroom.generations", outcome="succeeded", **OF) == 1
        for once in ONCE:
            assert collector.total(f"darkroom.{once}", **OF) == 1, once
        sent = b"".join(collector.raw)
        private = (PROMPT, fatthumb.key, "/files/", str(home.path))
        assert [each for each in private if each.encode() in sent] == []


def test_the_trace_goes_on_in_the_process_that_adopts_the_generation(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=3600.0)
    with Collector() as collector:
        traced = home.with_(fatthumb, **collector.environ)
        with running(traced, "serve") as process:
            server = RawServer(process)
            server.initialize()
            generation = server.call("generate", prompt=PROMPT, provider="fatthumb")["structuredContent"]["id"]
            eventually(lambda: {CALL, "submit"} <= {span.name for span in collector.spans})
            process.kill()
        fatthumb.advance(3600.0)
        with running(traced, "wait", generation, python=("-c", PATIENT)) as process:
            process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        found = steps(collector)
        assert found["follow"][0].parent == found[CALL][0].id
        assert found["collect"][0].attributes["darkroom.generation"] == generation


def test_a_collector_that_fails_or_hangs_holds_nothing_up(home: Home, fatthumb: FatThumb) -> None:
    began = time.monotonic()
    with Collector(hangs=True) as collector:
        traced = home.with_(fatthumb, **collector.environ)
        assert darkroom(traced, "generate", PROMPT).status == 0
    with Collector(status=400) as collector:
        assert darkroom(home.with_(fatthumb, **collector.environ), "generate", "another").status == 0
    assert time.monotonic() - began < PATIENCE_S


def test_without_a_collector_no_sdk_is_imported_and_without_the_sdk_there_is_one_warning(home: Home) -> None:
    code = (
        "import sys, darkroom.cli.serve, darkroom.http.served, darkroom.app.poster; "
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=home.environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    without = (
        "import sys; sys.modules['opentelemetry.sdk.trace'] = None; "
        "import runpy; runpy.run_module('darkroom', run_name='__main__', alter_sys=True)"
    )
    traced = home.with_(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-c", without, "generate", "a fox", "--provider", "sketch"],
        env=traced.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("darkroom-mcp[telemetry]") == 1

"""The container file and the examples of deployments: read by parsers, and held against what Darkroom knows."""

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from darkroom.cli.serve_options import take_options
from darkroom.http.front import LIVES, READY
from tests.hosts import Home
from tests.http.hosting import got, hosted, tenants_file

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
OURS = re.compile(r"(?:DARKROOM|AWS|OTEL)_")


def containers() -> Iterator[tuple[Sequence[str], set[str], dict[str, Any]]]:
    """The words, variables and whole of every container of ours in either example."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    for service in compose["services"].values():
        if service["image"] == "darkroom":
            yield service["command"], set(service["environment"]), service
    for pod in (each["spec"]["template"]["spec"] for each in kubernetes("Deployment")):
        for container in pod["containers"]:
            yield container["args"], {each["name"] for each in container["env"]}, pod | container


def kubernetes(kind: str) -> list[dict[str, Any]]:
    """The documents of that kind."""
    return [each for each in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()) if each["kind"] == kind]


@pytest.mark.parametrize("container", list(containers()), ids=lambda _: "")
def test_each_example_starts_a_server_with_options_and_variables_that_there_are(container: Any) -> None:
    words, variables, _ = container
    parser = argparse.ArgumentParser(exit_on_error=False)
    take_options(parser)
    assert words[0] == "serve"
    options = parser.parse_args(list(words[1:]))
    assert options.http
    assert options.tenants
    known = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs" / "configuration.md").read_text()))
    assert variables - known == set()


@pytest.mark.parametrize("container", list(containers()), ids=lambda _: "")
def test_each_example_starts_with_its_own_words(container: Any, home: Home) -> None:
    words = list(container[0])
    words[words.index("--tenants") + 1] = str(tenants_file(home.path))
    with hosted(home, *words[words.index("--http") + 1 :]) as server:
        assert got(server, READY).status_code == 200


def test_there_are_two_servers_and_nothing_of_them_is_root_or_writes_its_own_files() -> None:
    first, second, pod = (whole for _, _, whole in containers())
    assert all(each["user"].split(":")[0] not in {"0", "root"} and each["read_only"] for each in (first, second))
    assert pod["securityContext"]["readOnlyRootFilesystem"]
    deployment = kubernetes("Deployment")[0]["spec"]
    assert deployment["replicas"] >= 2
    assert deployment["template"]["spec"]["securityContext"]["runAsNonRoot"]
    assert (pod["readinessProbe"]["httpGet"]["path"], pod["livenessProbe"]["httpGet"]["path"]) == (READY, LIVES)
    assert {each["kind"] for kind in ("Service", "PodDisruptionBudget") for each in kubernetes(kind)} >= {"Service"}


def test_the_database_of_the_compose_example_waits_for_its_standby_as_soon_as_there_can_be_one_and_no_sooner() -> None:
    """While the image makes the database, its commits would wait for a standby that cannot connect yet."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    database, standby = compose["services"]["database"], compose["services"]["standby"]
    assert "synchronous_standby_names" not in " ".join(database["command"])
    assert "synchronous_standby_names = 'standby'" in compose["configs"]["replication"]["content"]
    assert standby["command"][0].rstrip().endswith("exec postgres -c synchronous_standby_names=")
    assert all("127.0.0.1" in each["healthcheck"]["test"] for each in (database, standby))
    assert compose["x-darkroom"]["depends_on"]["standby"] == {"condition": "service_healthy"}


def test_the_image_is_nobodys_root_and_asks_whether_it_lives() -> None:
    lines = (ROOT / "Containerfile").read_text()
    stage = lines.rpartition("\nFROM ")[2]
    user = re.search(r"^USER (\d+)", stage, re.M)
    assert user is not None
    assert int(user[1]) > 0
    assert LIVES in stage.partition("HEALTHCHECK")[2]
    set_here = set(re.findall(r"\b([A-Z_]+)=", stage.partition("ENV ")[2].partition("\nRUN")[0]))
    known = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs" / "configuration.md").read_text()))
    assert {name for name in set_here if OURS.match(name)} <= known
    words = re.search(r"^CMD (\[.*\])", stage, re.M)
    assert words is not None
    parser = argparse.ArgumentParser(exit_on_error=False)
    take_options(parser)
    assert parser.parse_args(yaml.safe_load(words[1])[1:]).http
    assert "--require-hashes" in lines
    extras = set(re.findall(r"--extra (\w+)", lines))
    assert extras == {"postgres", "s3", "telemetry"}

"""One command per need, from a clone with nothing but Python and pip: each does its own set-up first.

python3 dev.py demo       make a picture with the built-in sketch provider
python3 dev.py serve      serve MCP on stdin and stdout (what mcp.json starts)
python3 dev.py install    .venv, npm packages for tests, and where apt can bring them a Chromium and a PostgreSQL
python3 dev.py check      format, lint, types, import law, the map of rooms, GitHub workflows
python3 dev.py map        writes the map of rooms in CONTRIBUTING.md from the modules' docstrings
python3 dev.py test       every test, and outside Linux those that can run there; further words go to pytest. With
                          MEASURED=yes in the environment: also how much of the product they run, by branch, which
                          takes half as long again
python3 dev.py test-hosting  the tests with PostgreSQL and with replicas that die; further words go to pytest
python3 dev.py test-agents   the examples, Claude Code and Codex with a stub for their model; further words go to pytest
python3 dev.py audit      known vulnerabilities of everything that is locked; exit status 3 where nobody could be asked
python3 dev.py sbom       the locked dependencies of a user's installation as CycloneDX, in .artifacts/sbom.cdx.json
python3 dev.py package    writes the manifests of hosts that lie in the repository, from release/description.toml;
                          with `--repository OWNER/NAME` the address on GitHub too, as a release does
python3 dev.py pages      writes docs/services.md and docs/tools.md, from declarations and schemas
python3 dev.py docs       the documentation as a site, in .artifacts/site; a warning is an error
python3 dev.py build      the distributions and the bundle, in dist/, by a build backend held to the lock's hashes
python3 dev.py test-release  the tests of what `build` built, and hosts' own validators; further words go to pytest
python3 dev.py bench      every benchmark of speed, and docs/performance.md from them
python3 dev.py bench X    the benchmark bench/X.py, with more words for it: kill, limits, polling, hour, waits, follow,
                          rows, start, calls, idle, replicas (and the table in docs/hosting.md) or fuzz; each writes
                          .artifacts/X.json. `bench screens` draws the pictures of docs/terminal.md
"""

import ast
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent
TOOLS = ROOT / ".uv"
BIN = ROOT / ".venv" / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(BIN / "python")
LEAST_COVERAGE = 95
ELSEWHERE = [
    *(f"tests/{room}" for room in ("doorman", "store", "tools", "transport")),
    *(f"tests/test_{name}.py" for name in ("environment", "main_job", "redact", "restart", "settings", "stdout")),
    *(f"tests/cli/test_{name}.py" for name in ("commands", "ids", "list_and_show", "log", "words")),
    *(f"tests/setup/test_{name}.py" for name in ("hostile_files", "settings_files")),
]
"""Tests that `test` runs on Windows and macOS: paths, locks, signals, descriptors, and the main job. The rest needs
forks, pseudo terminals, stopped processes, /proc, strace, a Chromium or a PostgreSQL from apt: it runs on Linux."""
TESTS_PER_CORE = 5  # they wait for two thirds of their time
ARTIFACTS = ROOT / ".artifacts"
GUIDE = ROOT / "CONTRIBUTING.md"
SYNCED = ROOT / ".venv" / ".synced"
NODE_LOCK = ROOT / "tests" / "node" / "package-lock.json"
VALIDATORS = ROOT / "release" / "node" / "package-lock.json"
AGENTS = (ROOT / "examples" / "node", ROOT / "tests" / "agents" / "node")
MODULES = {
    "audit": "release.audit",
    "sbom": "release.sbom",
    "package": "release.make",
    "pages": "docs.make",
    "docs": "docs.site",
    "build": "release.build",
}
"""Commands that are modules of this repository, which are given the further words."""
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")


def main(words: list[str]) -> int:
    """Runs the named command and returns its exit status."""
    commands = {
        "demo": demo, "serve": serve, "install": install, "check": check, "map": write_map, "test": test,
        "test-hosting": test_hosting, "test-agents": test_agents, "test-release": test_release,
        "bench": bench, **{name: partial(module, each) for name, each in MODULES.items()},
    }  # fmt: skip
    if not words or words[0] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    os.chdir(ROOT)
    return commands[words[0]](words[1:])


def demo(words: list[str]) -> int:
    """Makes a picture and prints its path."""
    sync("--no-dev", "--inexact")
    return run(PYTHON, "-m", "darkroom", "generate", *(words or ["A lighthouse keeper reading by lamplight"]),
               "--provider", "sketch")  # fmt: skip


def serve(words: list[str]) -> int:
    """Becomes the server, so that the host's signals and pipes reach it directly."""
    sync_once("--no-dev", "--inexact")
    command = [PYTHON, "-m", "darkroom", "serve", *words]
    if os.name == "nt":
        return run(*command)
    os.execv(PYTHON, command)


def install(words: list[str]) -> int:
    """Everything that a contributor needs."""
    sync()
    npm_packages(NODE_LOCK)
    programs()
    return 0


def check(words: list[str]) -> int:
    """The checks of CI besides the tests."""
    sync()
    failed = [
        command
        for command in (
            ["ruff", "format", "--check", "."],
            ["ruff", "check", "."],
            ["lint-imports"],
            ["pyright"],
            ["pyright", "--pythonplatform", "Windows", "server"],
            ["zizmor", "--offline", "--quiet", "--no-progress", "--persona=auditor", ".github"],
        )
        if run(str(BIN / command[0]), *command[1:]) != 0
    ]
    failed += [[name] for name in ("release.make", "docs.make") if run(PYTHON, "-m", name, "--check") != 0]
    if contributing() != GUIDE.read_text("utf-8"):
        print("CONTRIBUTING.md has an old map of the rooms: run python3 dev.py map", file=sys.stderr)
        return 1
    return 1 if failed else 0


def write_map(words: list[str]) -> int:
    """Brings the map of rooms in CONTRIBUTING.md to what the modules say of themselves."""
    GUIDE.write_text(contributing(), "utf-8")
    return 0


def contributing() -> str:
    """CONTRIBUTING.md with the map as it must be: folders and modules, by the first lines of their docstrings."""
    house = ROOT / "server" / "darkroom"
    lines: list[str] = []
    for folder in sorted({path.parent for path in house.rglob("*.py")}):
        name = folder.relative_to(house.parent).as_posix()
        lines += ["", f"**`{name}/`** {first_line(folder / '__init__.py')}", ""]
        lines += [
            f"- `{path.stem}` {first_line(path)}" for path in sorted(folder.glob("*.py")) if path.stem[:2] != "__"
        ]
    before, start, rest = GUIDE.read_text("utf-8").partition("<!-- map -->\n")
    _, end, after = rest.partition("\n<!-- end of the map -->")
    return before + start + "\n".join(lines).strip() + "\n" + end + after


def first_line(path: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]


def test(words: list[str]) -> int:
    """The tests; with MEASURED=yes: and how much of the product they run, with what `test-hosting` ran of it before.

    The floor holds for a whole run only.
    """
    status = tested(TESTS_PER_CORE, words or ([] if sys.platform == "linux" else ELSEWHERE))
    if status != 0 or words or os.environ.get("MEASURED") != "yes":
        return status
    run(PYTHON, "-m", "coverage", "combine", "--quiet")
    return run(PYTHON, "-m", "coverage", "report", f"--fail-under={LEAST_COVERAGE}")


def test_hosting(words: list[str]) -> int:
    """The tests that need PostgreSQL, most of them the same as on SQLite; some end processes and databases."""
    if os.environ.get("MEASURED") == "yes":
        install([])
        run(PYTHON, "-m", "coverage", "erase")  # whatever a run left that was broken off
    return tested(2, ["-m", "hosting", *words])


def test_agents(words: list[str]) -> int:
    """Installs the examples and the coding agents, a gigabyte of npm packages in all, and tests those."""
    sync()
    for folder in AGENTS:
        npm_packages(folder / "package-lock.json")
    for script in sorted((ROOT / "examples").glob("*.py")):
        sync("--script", str(script))
    return run(PYTHON, "-m", "pytest", "-n", str(cores()), "-m", "agents", "tests/agents", *words)


def test_release(words: list[str]) -> int:
    """Builds what is published and tests that, with hosts' own validators, which npm brings."""
    status = module(MODULES["build"], [])
    npm_packages(VALIDATORS)
    return status or run(PYTHON, "-m", "pytest", "-m", "release", "tests/release", *words)


def tested(per_core: int, words: list[str]) -> int:
    """Runs pytest with these words, so many processes a core, and measures with MEASURED=yes."""
    install([])
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each of the processes compiles every test anew, each time
    measured = ["-m", "coverage", "run"] if os.environ.get("MEASURED") == "yes" else []
    return run(PYTHON, *measured, "-m", "pytest", "-n", str(per_core * cores()), "--dist", "worksteal", *words)


def bench(words: list[str]) -> int:
    """One benchmark by its name, or those of speed together."""
    name, *more = words or ["suite"]
    return module(f"bench.{name}", more)


def module(name: str, words: list[str]) -> int:
    """Runs a module of this repository in the development environment."""
    sync()
    return run(PYTHON, "-m", name, *words)


def sync(*options: str) -> None:
    """Brings .venv to what uv.lock says, or a part of it, or makes a script's own; stdout may be the server's."""
    # The interpreter that runs this file, not one that uv would fetch, unless it is too old.
    ours = {"UV_PYTHON": sys.executable} if sys.version_info >= (3, 11) else {}
    environ = {**ours, **without_secrets()}
    environ.pop("VIRTUAL_ENV", None)
    wanted = options if "--script" in options else ("--locked", *(options or ("--all-extras",)))
    subprocess.run([uv(), "sync", "--quiet", *wanted], check=True, stdout=sys.stderr, env=environ)


def sync_once(*options: str) -> None:
    """The same, unless that was done and nothing that it depends on has changed since: a host starts this each time."""
    files = [ROOT / "uv.lock", ROOT / "pyproject.toml", Path(sys.executable)]
    state = json.dumps([options, *([str(file), file.stat().st_mtime_ns] for file in files)])
    if SYNCED.exists() and SYNCED.read_text("utf-8") == state and Path(PYTHON).exists():
        return
    sync(*options)
    SYNCED.write_text(state, "utf-8")


def without_secrets() -> dict[str, str]:
    """Our environment for what installs and builds: without keys, and without URLs in which a password may stand."""
    secret = ("_KEY", "_KEY_BASE64", "_TOKEN", "_SECRET", "_HEADERS", "_BASE_URL", "_DATABASE_URL", "PGPASSWORD")
    return {name: value for name, value in os.environ.items() if not name.endswith(secret)}


def npm_packages(lock: Path) -> None:
    """Brings the npm packages beside a lock to what that says, when it has changed since."""
    folder = lock.parent
    # npm writes this file last, so that what was broken off is done again.
    done = folder / "node_modules" / ".package-lock.json"
    if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    command = [str(BIN / "npm"), "ci", "--loglevel=error"]
    subprocess.run(command, check=True, stdout=sys.stderr, cwd=folder, env=without_secrets())


def programs() -> None:
    """Installs Chromium, PostgreSQL and PgBouncer where they are missing and we may; else tests say what they need."""
    missing = ["chromium-headless-shell"] if find_browser() is None else []
    database = list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb")
    missing += [] if database else ["postgresql"]
    missing += [] if Path("/usr/sbin/pgbouncer").exists() or shutil.which("pgbouncer") else ["pgbouncer"]
    if not missing or not shutil.which("apt-get") or os.geteuid() != 0:
        return
    for words in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        subprocess.run(["apt-get", "-qq", *words], check=False, stdout=subprocess.DEVNULL, env=without_secrets())


def find_browser() -> str | None:
    """The Chromium on the PATH."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def uv() -> str:
    """The uv on the PATH, or one of our own under .uv."""
    own = TOOLS / "bin" / ("uv.exe" if os.name == "nt" else "uv")
    found = shutil.which("uv") or (str(own) if own.exists() else None)
    if found:
        return found
    quiet = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore"]
    pip = [sys.executable, "-m", "pip", "install", *quiet]
    locked = ["--require-hashes", "--no-deps", "--requirement", str(ROOT / "uv-requirements.txt")]
    subprocess.run([*pip, "--target", str(TOOLS), *locked], check=True, stdout=sys.stderr, env=without_secrets())
    return str(own)


def cores() -> int:
    """The number of cores that this process may use: a container or `taskset` may have made them fewer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run(*command: str) -> int:
    """Runs a command to its end and returns its exit status."""
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

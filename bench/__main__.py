"""Run every benchmark of this folder, each in its own process, and write `out/bench.json` and `out/bench.md`.

A benchmark is a module here with `def measure() -> dict`: name -> number, text, or a row of them (a dict).
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
    """Returns the modules that have a `measure` function."""
    return sorted(path.stem for path in HERE.glob("*.py") if "\ndef measure(" in path.read_text(encoding="utf-8"))


def run(name: str) -> dict[str, Any]:
    """Returns the measurements of one module, or {"error": line} when it fails."""
    command = [sys.executable, "-c", CHILD, f"{__package__}.{name}", MARK]
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    found = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    return json.loads(found[-1].removeprefix(MARK)) if found else {"error": f"ended with status {done.returncode}"}


def rows(values: Mapping[str, Any]) -> Iterator[str]:
    """Yields Markdown rows; a value that is a dict fills one cell."""
    for key, value in values.items():
        cell = ", ".join(f"{k} {show(v)}" for k, v in value.items()) if isinstance(value, dict) else show(value)
        yield f"| {key} | {cell} |"


def show(value: Any) -> str:
    """Formats a number with three significant digits, anything else with str."""
    return f"{value:,.3g}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)


def report(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Formats the results as Markdown tables."""
    parts = [
        f"# Measures\n\n{platform.platform(terse=True)}, {os.cpu_count()} cores, Python {platform.python_version()}\n"
    ]
    parts += [
        f"\n## {name}\n\n| what | measured |\n|---|---|\n" + "\n".join(rows(found)) for name, found in results.items()
    ]
    return "\n".join(parts) + "\n"


def main(requested: list[str]) -> int:
    """Runs the benchmarks, writes and prints their tables; returns 1 if one failed."""
    results = {name: run(name) for name in requested or names()}
    OUT.mkdir(exist_ok=True)
    (OUT / "bench.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (OUT / "bench.md").write_text(report(results), encoding="utf-8")
    print(report(results))
    return int(any("error" in found for found in results.values()))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Compare the behaviour of two checkouts: `python -m innerwalk.bench.compare BEFORE AFTER`; exits with 1 if it differs.

Only public surfaces are compared: the command line that pyproject.toml names, the files it writes, and the bridge's
HTTP. Results of BEFORE are kept in the output folder by its revision; both checkouts read the recordings and .blend
files of BEFORE. Not compared: versions of libraries in figures, port, token and process of a bridge, progress of jobs.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from .bridge_transcript import write_transcript
from .checkout import Checkout, cache_key
from .commands import GROUPS, REQUIREMENTS, list_commands
from .differences import find_differences, find_failure

MAX_LINES = 12
"""Lines that are printed for one command."""


def generate(checkout: Checkout, group: str, keep: bool) -> None:
    """Runs the commands of a group in a checkout, unless `keep` is set and they were all run before."""
    mark, start = checkout.results / f"{group}.done", time.perf_counter()
    if keep and mark.exists():
        return
    mark.unlink(missing_ok=True)
    shutil.rmtree(checkout.results / group, ignore_errors=True)
    (checkout.results / group).mkdir(parents=True)
    for name, arguments in list_commands(group):
        checkout.run(f"{group}/{name}", arguments)
    if group == "bridge":
        write_transcript(checkout)
    mark.touch()
    print(f"{checkout.results.name} {group}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)


def report(before: Path, after: Path, groups: list[str]) -> int:
    """Prints a row for each command with its differences; returns 1 if there are any, else 0."""
    count = 0
    for group in groups:
        files = {path.name for results in (before, after) for path in (results / group).iterdir()}
        files = {name for name in files if not name.endswith((".stderr", ".blend"))}
        for name in sorted({Path(file).stem for file in files}):
            lines = [line for results in (before, after) for line in find_failure(results / group / f"{name}.txt")]
            for file in sorted(file for file in files if Path(file).stem == name):
                lines += find_differences(before / group / file, after / group / file)
            count += bool(lines)
            print(f"| {group:<10} | {name:<20} | {'DIFFERENT' if lines else 'same':<9} |")
            print("".join(f"    {line}\n" for line in lines[:MAX_LINES]), end="")
            print("    …\n" * (len(lines) > MAX_LINES), end="")
    print(f"{count} differ" if count else "no difference")
    return int(count > 0)


def parse_arguments() -> argparse.Namespace:
    """Reads the command line; `only` is a list of groups in the order of GROUPS."""
    parser = argparse.ArgumentParser(
        prog="python -m innerwalk.bench.compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("before", type=Path, metavar="BEFORE", help="a checkout with its git folder")
    parser.add_argument("after", type=Path, metavar="AFTER", help="another checkout")
    parser.add_argument("--python-before", type=Path, metavar="P", help="default: BEFORE/.venv/bin/python")
    parser.add_argument("--python-after", type=Path, metavar="P", help="default: AFTER/.venv/bin/python")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", default=Path("out/compare"), help="default: out/compare"
    )
    parser.add_argument("--only", default=",".join(GROUPS), metavar="GROUPS", help="default: %(default)s")
    arguments = parser.parse_args()
    requested = set(arguments.only.split(","))
    if unknown := requested - set(GROUPS):
        parser.error(f"--only: no group {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    arguments.only = [group for group in GROUPS if group in requested]
    return arguments


def main() -> int:
    """Runs the commands in both checkouts and reports the differences."""
    arguments = parse_arguments()
    # Background jobs of a shell ignore SIGINT, and so would the bridges that are started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    output, roots = arguments.output.resolve(), [arguments.before.resolve(), arguments.after.resolve()]
    pythons = [
        (python or root / ".venv/bin/python").absolute()
        for python, root in zip((arguments.python_before, arguments.python_after), roots, strict=True)
    ]
    folders = [output / f"before-{cache_key(roots[0], pythons[0])}", output / "after"]
    with tempfile.TemporaryDirectory() as links:
        before, after = (
            Checkout(root, python, folder, Path(links) / side)
            for root, python, folder, side in zip(roots, pythons, folders, ("before", "after"), strict=True)
        )
        for checkout in (before, after):
            checkout.link_folders(inputs=before.results)
        for name in dict.fromkeys(name for group in arguments.only for name in (*REQUIREMENTS.get(group, ()), group)):
            generate(before, name, keep=True)
        for group in arguments.only:
            generate(after, group, keep=False)
    return report(before.results, after.results, arguments.only)


if __name__ == "__main__":
    raise SystemExit(main())

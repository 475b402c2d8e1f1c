"""`python -m torch_bridge serve MODEL…`: the same as `innerwalk serve`, for a Python without the rest of innerwalk.

With `--child` alone it serves the process that started it. Only the standard library is imported before the check of
this Python.
"""

import importlib.util
import json
import sys

MIN_VERSION = (3, 11)
REQUIRED = ("numpy", "PIL", "torch")


def find_problem() -> str:
    """What keeps this Python from running a bridge, and what to do about it; "" if nothing does."""
    if sys.version_info < MIN_VERSION:
        version, needed = (".".join(map(str, numbers)) for numbers in (sys.version_info[:2], MIN_VERSION))
        return f"{sys.executable} is Python {version}; at least {needed} is needed"
    missing = [name for name in REQUIRED if importlib.util.find_spec(name) is None]
    names = " and no ".join(missing).replace("PIL", "pillow")
    return f"{sys.executable} has no {names}; choose a Python that has, or install what is missing" if missing else ""


def main(argv: list) -> int:
    """Serve, and return the exit status."""
    is_child, problem = argv == ["serve", "--child"], find_problem()
    if problem and is_child:
        sys.stdout.write(json.dumps({"error": {"kind": "BridgeError", "text": problem}}) + "\n")
    elif problem:
        sys.stderr.write(f"torch_bridge: {problem}\n")
    if problem:
        return 2
    if is_child:
        from .server.child_main import serve_child

        return serve_child()
    from .server.main import serve

    return serve(argv)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:  # while modules are imported
        sys.stderr.write("\ntorch_bridge: stopped\n")
        sys.exit(130)

"""`python -m torch_bridge serve MODEL…`: what `innerwalk serve` does, without anything of Blender's side.

With `--child` alone it is the child of whoever started it. Nothing is imported before this Python is known to do.
"""

import importlib.util
import json
import sys

OLDEST = (3, 11)
NEEDED = ("numpy", "PIL", "torch")


def lack() -> str:
    """What this Python lacks to be a bridge, and what would mend it; empty where it lacks nothing."""
    if sys.version_info < OLDEST:
        return "{} is Python {}.{}; ".format(sys.executable, *sys.version_info[:2]) + "{}.{} is needed".format(*OLDEST)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    names = " and no ".join(missing).replace("PIL", "pillow")
    return f"{sys.executable} has no {names}; name a Python that has, or install what is missing" if missing else ""


def main(words: list) -> int:
    """Serve; the exit status."""
    as_child, missing = words == ["serve", "--child"], lack()
    if missing and as_child:
        sys.stdout.write(json.dumps({"error": {"kind": "BridgeError", "text": missing}}) + "\n")
    elif missing:
        sys.stderr.write(f"torch_bridge: {missing}\n")
    if missing:
        return 2
    if as_child:
        from .server.child_main import serve_child

        return serve_child()
    from .server.main import serve

    return serve(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

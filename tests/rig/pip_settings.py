"""Prints what pip is told here, by its files and by the environment, as PIP_NAME=VALUE lines; the last of two holds."""

import ast
import subprocess
import sys

SECTIONS = ("global", ":env:")  # the environment's word comes last


def settings() -> list[str]:
    """Nothing where there is no pip."""
    run = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    found = []
    for line in run.stdout.splitlines():
        (section, _, name), value = line.partition("=")[0].rpartition("."), line.partition("=")[2]
        if section in SECTIONS:
            words = " ".join(ast.literal_eval(value).split())
            found.append((SECTIONS.index(section), f"PIP_{name.upper().replace('-', '_')}={words}"))
    return [told for _, told in sorted(found)]


if __name__ == "__main__":
    print("\n".join(settings()))

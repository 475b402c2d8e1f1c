"""Prints pip's settings, from its files and the environment, as PIP_NAME=VALUE lines; later lines override earlier."""

import ast
import subprocess
import sys

SECTIONS = ("global", ":env:")  # the environment overrides files, so it comes last


def settings() -> list[str]:
    """PIP_NAME=VALUE lines; none without pip."""
    run = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    found = []
    for line in run.stdout.splitlines():
        (section, _, name), value = line.partition("=")[0].rpartition("."), line.partition("=")[2]
        if section in SECTIONS:
            text = " ".join(ast.literal_eval(value).split())
            found.append((SECTIONS.index(section), f"PIP_{name.upper().replace('-', '_')}={text}"))
    return [line for _, line in sorted(found)]


if __name__ == "__main__":
    print("\n".join(settings()))

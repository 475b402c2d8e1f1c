"""Pages for browsers in one file without any other, whose data come from strangers.

Texts are escaped, the data stand as JSON in an element that browsers don't run, and a content security policy allows
the page's own script and style only, and pictures that stand in it.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

FRAME, STYLE = "frame.html", "page.css"
"""What all pages have around their content, and their style: files beside this one."""


def fill_page(package: str, stem: str, title: str, data: Mapping[str, Any], about: str, **parts: str) -> str:
    """Returns the page that a package has as STEM.html and STEM.js, filled with data, as HTML in UTF-8.

    about: what stands below the title. parts: those of STEM.html. Both are HTML: their texts must be escaped already.
    """
    content, script = (_resource(package, f"{stem}.{kind}") for kind in ("html", "js"))
    style = _resource(__package__, STYLE)
    return Template(_resource(__package__, FRAME)).substitute(
        policy=f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'",
        title=html.escape(title),
        style=style,
        about=about,
        content=Template(content).substitute(parts),
        data=html.escape(json.dumps(data), quote=False),
        script=script,
    )


def _resource(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

"""Pages for browsers in one file without any other, whose data come from strangers.

Texts are escaped, the data stand as JSON in an element that browsers don't run, and a content security policy allows
the page's own script and style only.
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

STYLE = "page.css"
"""The style of all pages, a file beside this one."""


def fill_page(package: str, stem: str, title: str, data: Mapping[str, Any], **parts: str) -> str:
    """Returns the page that a package has as STEM.html and STEM.js, filled with data, as HTML in UTF-8.

    parts: further parts of the template, as HTML: their texts must be escaped already.
    """
    template, script = (_resource(package, f"{stem}.{kind}") for kind in ("html", "js"))
    style = _resource(__package__, STYLE)
    policy = f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    encoded = html.escape(json.dumps(data), quote=False)
    return Template(template).substitute(
        parts, policy=policy, title=html.escape(title), style=style, data=encoded, script=script
    )


def _resource(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

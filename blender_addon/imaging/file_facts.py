"""What a figure's file says about itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...torch_bridge.recording import Recording


def file_facts(title: str, recording: Recording, how: Mapping[str, Any]) -> dict[str, str]:
    """Returns texts by keyword: a title, and as JSON what is shown and how it was drawn, without times or host names.

    how: facts by name that JSON can hold.
    """
    network = recording.network
    facts = {
        "network": network.name,
        "weights": network.weights or ("unknown" if network.trained else "random"),
        "input": recording.input_name,
        "recording": recording.provenance,
        **how,
    }
    return {
        "Title": title,
        "Software": "innerwalk",
        "innerwalk": json.dumps(facts, ensure_ascii=False, sort_keys=True),
    }

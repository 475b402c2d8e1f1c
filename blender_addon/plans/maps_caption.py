"""What the panels of a hall show, in words: "Grad-CAM for Boston bull"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .primitives import FLAT, Plan, Style

TITLES = {
    "average": "Average over data",
    "cam": "CAM",
    "concept_contribution": "Prediction by concept",
    "concept_failures": "Failures by concept",
    "concept_losses": "Losses by concept",
    "contribution": "Contribution to a class",
    "dgn_am": "DGN-AM",
    "dissection": "Network Dissection",
    "gan_dissection": "GAN Dissection",
    "grad_cam": "Grad-CAM",
    "gradient_x_input": "Gradient × input",
    "layer_cam": "Layer-CAM",
    "maximisation": "Activation maximisation",
    "rise": "RISE",
    "smooth_grad": "SmoothGrad",
    "unit_history": "Unit through training",
    "upconvnet": "UpconvNet",
}
"""Titles of the methods that are not called by the words of their names; a test compares them with the bridge's."""
LEFT, SIZE, LINE, TOP = 0.15, 0.16, 0.19, 1.17
"""Left margin, size of the text, distance of its lines and height of the first one on the title board; metres."""
MOST_LINES = 2


def method_title(method: str) -> str:
    """Returns the title of a method, such as "Grad-CAM" for grad_cam."""
    return TITLES.get(method) or method.replace("_", " ").capitalize()


def caption_text(method: str, labels: Sequence[str], other: str = "") -> str:
    """Returns what panels show: the method's title, and the class that their maps are about if it is one.

    labels: of each panel the label of its only map, "" for none. other: the hall that a difference is to.
    """
    title = method_title(method)
    if other:
        return f"{title} to {other}"
    known = Counter(filter(None, labels))
    return f"{title} for {next(iter(known))}" if len(known) == 1 else title


def plan_caption(text: str, width: float, style: Style) -> Plan:
    """Plans the caption on a title board that is `width` metres wide: up to two lines, the size that fits."""
    plan, room, size = Plan(style), width - 2 * LEFT, SIZE
    lines = style.wrap(text, room, size)
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], f"{lines[MOST_LINES - 1]} …"]
    for number, line in enumerate(lines):
        plan.text(FLAT, line, style.fit(line, room, size), "data", x=LEFT, y=TOP - LINE * number, lift=0.02)
    return plan

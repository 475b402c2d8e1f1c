"""The words for what the panels show."""

import numpy as np
import pytest

from innerwalk.blender_addon.plans.maps_caption import LEFT, TITLES, caption_text, method_title, plan_caption
from innerwalk.blender_addon.plans.primitives import Style


def test_titles_are_those_of_the_bridge():
    pytest.importorskip("torch", reason="needs PyTorch")
    from innerwalk.torch_bridge.methods import METHODS

    assert {name: method_title(name) for name in METHODS} == {name: each.title for name, each in METHODS.items()}
    assert TITLES.keys() <= METHODS.keys()


@pytest.mark.parametrize(
    ("method", "labels", "other", "text"),
    [
        ("activations", ["", ""], "", "Activations"),
        ("grad_cam", ["Boston bull", "", "Boston bull"], "", "Grad-CAM for Boston bull"),
        ("cam", ["a", "b"], "", "CAM"),
        ("difference", [], "resnet50", "Difference to resnet50"),
        ("my_own", [], "", "My own"),
    ],
)
def test_a_class_is_named_where_all_maps_are_about_it(method, labels, other, text):
    assert caption_text(method, labels, other) == text


@pytest.mark.parametrize("text", ["CAM", "Grad-CAM for a ring with a long name", "word " * 60, "x" * 200])
def test_a_caption_stays_on_its_board_and_above_the_scale(text):
    plan = plan_caption(text, 2.2, Style.of("dark"))
    boxes = np.array([run.box() for run in plan.texts])
    x, y = boxes[..., 0], boxes[..., 1]
    assert x.min() >= LEFT - 1e-6 and x.max() <= 2.2 - LEFT + 1e-6
    assert len(boxes) <= 2 and y.min() > 0.905 and y.max() < 1.43, "between the weights and the bar"

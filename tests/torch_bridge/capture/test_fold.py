"""The fold, on graphs written by hand: which layers are panels, what they show, what is a joint."""

from __future__ import annotations

import pytest

from innerwalk.torch_bridge.capture.fold import Family, LayerFacts, fold


def folded(*layers: tuple[str, Family, str]) -> dict[str, tuple[str, str]]:
    """Roles of layers written as (id, family, ids it reads); two sources are two varying reads."""
    return fold(LayerFacts(id, family, tuple(reads.split()), len(reads.split())) for id, family, reads in layers)


def test_conv_norm_activation_is_one_panel_that_shows_the_norm() -> None:
    roles = folded(
        ("input", "input", ""), ("conv", "conv", "input"), ("bn", "norm", "conv"), ("relu", "other", "bn"),
        ("fc", "linear", "relu"), ("output", "output", "fc"),
    )  # fmt: skip
    assert roles == {
        "input": ("input", ""), "conv": ("panel", "bn"), "bn": ("edge", ""), "relu": ("edge", ""),
        "fc": ("panel", "fc"), "output": ("output", ""),
    }  # fmt: skip


def test_a_norm_that_is_not_alone_is_not_folded() -> None:
    shared = folded(("a", "conv", ""), ("n", "norm", "a"), ("s", "sum", "a n"))
    assert shared["a"] == ("panel", "a") and shared["s"] == ("panel", "s")
    two = folded(("a", "conv", ""), ("n", "norm", "a"), ("m", "norm", "a"))
    assert two["a"] == ("panel", "a")
    mixed = folded(("a", "conv", ""), ("b", "conv", ""), ("n", "norm", "a b"))
    assert (mixed["a"], mixed["b"]) == (("panel", "a"), ("panel", "b"))


@pytest.mark.parametrize("family", ["conv", "linear", "attention", "tokens"])
def test_what_always_gets_a_panel(family: Family) -> None:
    assert folded(("x", family, ""))["x"] == ("panel", "x")


@pytest.mark.parametrize("family", ["sum", "product"])
def test_sums_and_products_of_two_values(family: Family) -> None:
    roles = fold(
        [
            LayerFacts("two", family, ("a", "b"), varying_reads=2),
            LayerFacts("self", family, ("a",), varying_reads=2),
            LayerFacts("constant", family, ("a",), varying_reads=1),
        ]
    )
    assert [roles[id][0] for id in ("two", "self", "constant")] == ["panel", "panel", "edge"]


def test_arithmetic_on_boxes_gets_nothing() -> None:
    roles = fold(LayerFacts(id, family, ("a", "b"), 2, has_maps=False) for id, family in (("s", "sum"), ("j", "joint")))
    assert roles == {"s": ("edge", ""), "j": ("edge", "")}


def test_a_norm_is_folded_into_convolutions_only() -> None:
    roles = folded(("a", "conv", ""), ("b", "conv", ""), ("s", "sum", "a b"), ("n", "norm", "s"))
    assert roles["s"] == ("panel", "s") and roles["n"] == ("edge", "")


def test_joints_join_two_layers() -> None:
    roles = folded(("a", "conv", ""), ("b", "conv", ""), ("both", "joint", "a b"), ("one", "joint", "a"))
    assert (roles["both"], roles["one"]) == (("joint", ""), ("edge", ""))


def test_opaque_code_needs_parameters_and_every_panel_something_to_draw() -> None:
    roles = fold(
        [
            LayerFacts("net", "opaque", parameters=3),
            LayerFacts("numpy", "opaque"),
            LayerFacts("empty", "conv", drawable=False),
            LayerFacts("conv", "conv"),
            LayerFacts("bn", "norm", ("conv",), 1, drawable=False),
        ]
    )
    assert [roles[id][0] for id in ("net", "numpy", "empty", "conv")] == ["panel", "edge", "edge", "panel"]
    assert roles["conv"] == ("panel", "conv")

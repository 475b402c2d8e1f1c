"""Numbers as people read them."""

import pytest

from innerwalk.blender_addon.plans.number_text import format_close_share, format_count, format_number, format_percent


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-2607.9, "−2,608"), (4039.6, "4,040"), (0.01234, "0.0123"), (1e-9, "1.0e−09"), (float("nan"), "NaN")],
)
def test_numbers_are_for_people(value, text):
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.999, "99.9 %"), (1.0, "100.0 %"), (0.99999, "> 99.9 %"), (0.0001, "< 0.1 %"), (0.0, "0.0 %")]
)
def test_percentages_never_round_to_certainty(share, text):
    assert format_percent(share) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.9712, "97.1%"), (0.99998, "99.998%"), (0.9999, "99.99%"), (0.9996, "99.96%"), (0.9999999, "99.99999%"),
     (1.0, "100%"), (1 - 1e-12, "100%"), (0.0, "0.0%")],
)  # fmt: skip
def test_shares_near_certainty_keep_the_digits_that_differ(share, text):
    assert format_close_share(share) == text


def test_counts_have_their_noun():
    assert (format_count(1, "layer"), format_count(3976, "channel")) == ("1 layer", "3,976 channels")

"""Files of names that people give to units, and how far several people agree."""

import json
import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from innerwalk.blender_addon.naming.agreement import agree, cohens_kappa, initials, mean_kappa, pair_agreements
from innerwalk.blender_addon.naming.categories import CATEGORIES
from innerwalk.blender_addon.naming.unit_names import (
    UnitName,
    network_hash,
    newest_names,
    parse_names,
    read_names,
    write_names,
)
from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import InputError

LAMP = UnitName("abc", "conv1", 3, "lamp", "object", "Ann B", 9, (2, 7), "2026-01-01T00:00:00Z", "only lit ones")


def named(rater: str, unit: int, word: str, category: str = "object", **more) -> UnitName:
    return replace(LAMP, rater=rater, unit=unit, word=word, category=category, note="", **more)


def test_a_file_holds_what_was_written(tmp_path):
    names = [LAMP, named("Ben", 4, "Käse", "scene", shown=0, misfits=())]
    (tmp_path / "names.jsonl").write_text(write_names(names), "utf-8")
    assert read_names(tmp_path / "names.jsonl") == names
    assert json.loads(write_names([LAMP]))["precision"] == 0.7778  # 7 of 9 fit
    assert math.isclose(LAMP.precision, 7 / 9)
    assert math.isnan(names[1].precision)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: a JSON object is needed"),
        ("[" * 100_000, "line 2: more than 16,384 characters"),
        ('{"note": ' + "[" * 2000 + "]" * 2000 + "}", "line 2: not JSON"),
        (json.dumps({**vars(LAMP), "category": "thing"}), "category 'thing' isn't one of scene, region"),
        (json.dumps({**vars(LAMP), "word": " "}), "word is missing"),
        (json.dumps({**vars(LAMP), "word": "a\x1b[31m"}), "word has characters that can't be shown"),
        (json.dumps({**vars(LAMP), "word": "a\u202eb"}), "word has characters that can't be shown"),
        (json.dumps({**vars(LAMP), "word": "x" * 81}), "word must be a text of at most 80 characters"),
        (json.dumps({**vars(LAMP), "unit": -1}), "unit must be a whole number from 0"),
        (json.dumps({**vars(LAMP), "unit": True}), "unit must be a whole number from 0"),
        (json.dumps({**vars(LAMP), "unit": 10**40}), "unit must be a whole number from 0"),
        (json.dumps({**vars(LAMP), "shown": 3}), "misfits must be numbers of pictures, 1 to the 3 shown"),
        (json.dumps({**vars(LAMP), "misfits": 5}), "misfits must be numbers of pictures"),
        (json.dumps({**vars(LAMP), "misfits": [[1]]}), "misfits must be numbers of pictures"),
    ],
)
def test_a_damaged_line_is_named_in_one_line(line, said):
    with pytest.raises(InputError, match="names.jsonl, ") as caught:
        parse_names(f"{write_names([LAMP])}{line}\n", "names.jsonl")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_file_is_one_line(tmp_path):
    (tmp_path / "a").write_bytes(b"\xff\xfe\x00")
    for name, said in (("a", "not a text in UTF-8"), ("b", "no such file"), (".", "a folder")):
        with pytest.raises(InputError, match=said):
            read_names(tmp_path / name)
    with pytest.raises(InputError, match="200,002 lines; at most 200,000"):
        parse_names("\n" * 200_001, "names.jsonl")


def test_of_one_persons_names_for_a_unit_the_last_counts():
    late = named("Ann B", 3, "candle", time="2026-02-01T00:00:00Z")
    assert newest_names([late, LAMP, named("Ben", 3, "lamp")]) == [late, named("Ben", 3, "lamp")]


def test_the_hash_is_of_the_units_and_the_weights_not_of_the_input(recorded):
    network = rec.load(recorded).network
    larger = replace(network, layers=tuple(replace(layer, shape=(9, *layer.shape[1:])) for layer in network.layers))
    assert network_hash(larger) == network_hash(network)
    assert network_hash(replace(network, weights="other.pt")) != network_hash(network)
    assert network_hash(replace(network, weights="/a/w.pt")) == network_hash(replace(network, weights="/b/w.pt"))
    assert network_hash(replace(network, layers=network.layers[:-2])) != network_hash(network)


def test_the_word_of_most_people_counts():
    names = [named("a", 0, "lamp", misfits=()), named("b", 0, "Lamp", misfits=(1, 2, 3)), named("c", 0, "dog", "scene")]
    names += [named("a", 1, "dog"), named("b", 1, "cat", "scene")]
    both, split = agree(names)
    assert (both.word, both.category, both.agreeing, both.raters) == ("lamp", "object", 2, 3)
    assert math.isclose(both.precision, (1 + 6 / 9) / 2)
    assert both.is_semantic
    assert (split.word, split.category, split.agreeing, split.is_semantic) == ("", "", 0, False)


def test_kappa_is_that_of_cohens_formula():
    """Against a plain loop over all pairs of categories, and the known ends."""
    rng = np.random.default_rng(0)
    first, second = ([CATEGORIES[k] for k in rng.integers(0, 6, 50)] for _ in range(2))
    pairs = [*zip(first, second, strict=True)]
    share = np.array([[pairs.count((a, b)) for b in CATEGORIES] for a in CATEGORIES]) / len(pairs)
    by_chance = sum(share[i].sum() * share[:, i].sum() for i in range(6))
    assert math.isclose(cohens_kappa(first, second), (np.trace(share) - by_chance) / (1 - by_chance))
    assert cohens_kappa(first, first) == 1
    assert math.isnan(cohens_kappa([], []))
    assert math.isnan(cohens_kappa(["object"] * 3, ["object"] * 3))
    half = [*product(CATEGORIES[:2], CATEGORIES[:2])]  # independent
    assert cohens_kappa(*zip(*half, strict=True)) == 0


def test_pairs_are_compared_over_what_both_have_named():
    names = [named("a", 0, "x"), named("a", 1, "x", "scene"), named("b", 1, "y", "scene"), named("b", 0, "x")]
    names += [named("c", 5, "x")]
    [pair] = pair_agreements(names)
    assert (pair.raters, pair.units, pair.kappa) == (("a", "b"), 2, 1.0)
    assert mean_kappa([pair]) == 1
    assert initials("Ada  Lovelace") == "AL"

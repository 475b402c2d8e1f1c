"""What the boards of inputs and outputs show, with known answers; texts never collide."""

from dataclasses import replace

import numpy as np
import pytest

from innerwalk.blender_addon.plans.answer_board import AREA, plan_answers
from innerwalk.blender_addon.plans.board_contents import (
    Area,
    Token,
    add_cells,
    add_embeddings,
    add_table,
    add_tokens,
    add_waveform,
    mosaic,
    split_mosaic,
)
from innerwalk.blender_addon.plans.board_contents.mosaics import mosaic_grid
from innerwalk.blender_addon.plans.input_boards import plan_input_frame
from innerwalk.blender_addon.plans.primitives import Plan
from innerwalk.tests.support import endpoint_recordings
from innerwalk.tests.support.part_plans import STYLE, parts_of

LEAST = 0.34
BOX = Area(0.0, 0.0, 2.0, 2.0)


def texts(plan: Plan) -> list[str]:
    return [run.text for run in plan.texts]


def boards_of(name: str, role: str) -> list[Plan]:
    return [plan for plan in parts_of(endpoint_recordings.ALL[name]()) if plan.role == role]


def collisions(plan: Plan) -> list[tuple[str, str]]:
    """Pairs of lines of text on a flat plan whose boxes overlap."""
    boxes = [(run.text, run.box()[:, :2].min(0) + 1e-6, run.box()[:, :2].max(0) - 1e-6) for run in plan.texts]
    return [
        (a, b)
        for k, (a, low, high) in enumerate(boxes)
        for b, other_low, other_high in boxes[:k]
        if (low < other_high).all() and (high > other_low).all()
    ]


@pytest.mark.parametrize("name", endpoint_recordings.ALL)
def test_every_input_and_output_has_a_board_whose_texts_never_collide(name):
    recording = endpoint_recordings.ALL[name]()
    for role, endpoints in (("input frame", recording.inputs), ("answer board", recording.outputs)):
        plans = boards_of(name, role)
        assert [plan.number for plan in plans] == list(range(len(endpoints)))
        for plan, endpoint in zip(plans, endpoints, strict=True):
            assert not collisions(plan)
            assert bool(plan.pictures) == (endpoint.pixels is not None or endpoint.kind == "boxes")
            assert len(endpoints) == 1 or texts(plan).count(endpoint.name) == 1


def test_long_names_become_smaller_and_stay_apart():
    recording = endpoint_recordings.clip()
    long = "a_name_that_is_longer_than_any_board_is_wide_and_then_some_more"
    recording.inputs = tuple(replace(own, name=long, source=long) for own in recording.inputs)
    recording.outputs = tuple(replace(own, name=long) for own in recording.outputs)
    for plan in parts_of(recording):
        if plan.role in ("input frame", "answer board"):
            assert texts(plan).count(long) >= 1 and not collisions(plan)


def test_more_outputs_than_boards_are_counted():
    recording = endpoint_recordings.lstm()
    recording.outputs = recording.outputs[:1] * 11
    plans = [plan for plan in parts_of(recording) if plan.role == "answer board"]
    assert len(plans) == 8 and "and 3 more outputs" in texts(plans[-1])
    assert not any("more outputs" in text for plan in plans[:-1] for text in texts(plan))


def test_a_single_input_and_answer_keep_their_plain_titles():
    recording = endpoint_recordings.lstm()
    recording.inputs, recording.outputs = recording.inputs[:1], recording.outputs[:1]
    plans = {plan.role: plan for plan in parts_of(recording)}
    assert texts(plans["input frame"])[:2] == ["input", "word.wav"]
    assert texts(plans["answer board"])[0] == "prediction" and "80.0 %" in texts(plans["answer board"])


def test_tokens_stand_in_reading_order():
    plan = Plan(STYLE)
    taken = add_tokens(plan, [Token(word) for word in "one two three four five six".split()], BOX)
    assert texts(plan) == "one two three four five six".split()
    places = [(-round(run.y, 3), run.x) for run in plan.texts]
    assert places == sorted(places) and len({y for y, _ in places}) > 1
    assert all(run.box()[:, 0].max() <= 2.0 and run.box()[:, 0].min() >= 0.0 for run in plan.texts)
    assert taken.height < 2.0 and taken.bottom == pytest.approx((2.0 - taken.height) / 2)


def test_hundreds_of_tokens_are_cut_and_counted():
    plan = Plan(STYLE)
    add_tokens(plan, [Token(f"word{k}") for k in range(2000)], BOX)
    shown = len(plan.texts) - 1
    assert 50 < shown < 2000 and texts(plan)[-1] == f"and {2000 - shown:,} more"


def test_odd_words_become_readable():
    plan = Plan(STYLE)
    add_tokens(plan, [Token(" the"), Token("\n\x07"), Token("x" * 300), Token("")], BOX)
    assert texts(plan)[:2] == ["␣the", "··"] and len(texts(plan)[2]) == 24 and not collisions(plan)


def test_probabilities_of_tokens_are_bars_of_their_length():
    plan = Plan(STYLE)
    add_tokens(plan, [Token("half", 0.5), Token("all", 1.0)], BOX)
    bars = [face.points for face in plan.faces if np.allclose(face.colours[0], STYLE.colour("bar"))]
    boards = [face.points for face in plan.faces if np.allclose(face.colours[0], STYLE.colour("track"))]
    shares = [np.ptp(bar[:, 0]) / np.ptp(board[:, 0]) for bar, board in zip(bars, boards, strict=True)]
    assert shares == pytest.approx([0.5, 1.0]) and "50.0 %" in texts(plan)


def test_a_waveform_runs_to_the_right_between_its_ends():
    plan, wave = Plan(STYLE), np.array([[-1.0, 0.0, 0.5], [0.0, 0.25, 1.0]], np.float32)
    add_waveform(plan, wave, BOX)
    quads = plan.faces[-1].points.reshape(-1, 4, 3)
    middle = 1.0
    half = (quads[0, 0, 1] - middle) / -1.0
    assert np.allclose(quads[:, 0, 0], [0.0, 2 / 3, 4 / 3])
    assert quads[:, 0, 1] == pytest.approx(middle + half * np.array([-1.0, 0.0, 0.5]))
    assert quads[:, 2, 1] == pytest.approx(middle + half * np.array([0.0, 0.25, 1.0]))


def test_embeddings_are_bars_around_zero():
    plan = Plan(STYLE)
    add_embeddings(plan, np.array([[2.0, -1.0, np.nan, 0.0]], np.float32), ("here",), BOX)
    quads = plan.faces[-1].points.reshape(-1, 4, 3)
    heights = np.ptp(quads[..., 1], axis=1)
    assert heights[0] == pytest.approx(2 * heights[1]) and heights[2:] == pytest.approx(0.0)
    assert np.allclose(plan.faces[-1].colours[4], STYLE.colour("skip")) and texts(plan) == ["here"]


def test_cells_show_time_downwards_and_sizes_by_colour():
    plan = Plan(STYLE)
    add_cells(plan, np.array([[0.0, 1.0], [-1.0, 0.5]], np.float32), BOX)
    face = plan.faces[-1]
    corners, colours = face.points.reshape(-1, 4, 3), face.colours.reshape(-1, 4, 3)[:, 0]
    assert corners[0, 0, 1] > corners[2, 0, 1] and corners[0, 0, 0] < corners[1, 0, 0]
    track, bar, skip = (STYLE.colour(role) for role in ("track", "bar", "skip"))
    assert np.allclose(colours, [track, bar, skip, (track + bar) / 2])


def test_a_table_names_rows_and_columns_and_counts_the_rest():
    plan = Plan(STYLE)
    values = np.arange(120, dtype=float).reshape(20, 6)
    add_table(plan, values, [f"f{k}" for k in range(6)], [f"node {k}" for k in range(20)], BOX)
    assert texts(plan)[1:6] == ["f0", "f1", "f2", "f3", "f4"] and "node 8" in texts(plan)
    assert "and 11 more rows, 1 more column" in texts(plan) and not collisions(plan)
    assert texts(plan)[texts(plan).index("node 1") + 1] == "6"


@pytest.mark.parametrize("count", [1, 2, 3, 5, 12, 64])
@pytest.mark.parametrize("shape", [(6, 9), (20, 7), (3, 3)])
def test_a_mosaic_can_be_split_again(count, shape):
    pictures = np.random.default_rng(count).integers(0, 255, (count, *shape, 3), np.uint8)
    whole = mosaic(pictures)
    rows, columns = mosaic_grid(count, *shape)
    assert np.array_equal(split_mosaic(whole, count, columns), pictures)
    assert np.array_equal(whole[: shape[0], : shape[1]], pictures[0])
    assert (rows - 1) * columns < count <= rows * columns


def test_what_is_no_mosaic_is_not_split():
    assert split_mosaic(np.zeros((10, 10, 3), np.uint8), 7, 2) is None


def test_one_place_with_several_tokens_is_a_list_of_the_best():
    recording = endpoint_recordings.bert()
    values = np.array([(5, 1, 0.6), (5, 2, 0.3), (5, 3, 0.1)], np.float32)
    recording.outputs = (replace(recording.outputs[0], values=values, labels=("cat", "dog", "cow")),)
    board = next(plan for plan in parts_of(recording) if plan.role == "answer board")
    assert texts(board) == ["tokens", "60.0 %", "cat", "30.0 %", "dog", "10.0 %", "cow"]
    assert AREA.right <= 3.4


def test_boxes_lie_over_the_input_that_they_refer_to():
    recording = endpoint_recordings.detector()
    board = next(plan for plan in parts_of(recording) if plan.role == "answer board")
    assert np.array_equal(board.pictures[0].pixels, recording.inputs[0].pixels[0])
    assert {"person 97.0 %", "car 61.0 %"} <= set(texts(board))


def test_texts_over_the_boards_of_a_figure_are_large_enough_or_left_out():
    recording = endpoint_recordings.clip()
    names = ("logits", "vision_model_output.last_hidden_state", "a.much_too_long_name_for_one_board")
    recording.outputs = tuple(replace(own, name=name) for own, name in zip(recording.outputs, names, strict=True))
    plans = plan_answers(recording, STYLE, least=LEAST)
    heads = [plan.texts[0] for plan in plans]
    assert [head.text for head in heads] == ["logits", "…last_hidden_state", "…much_too_long_name_for_one_board"]
    assert [head.size for head in heads[:2]] == [LEAST, LEAST] and heads[2].size < LEAST
    assert "output" in texts(plans[0]) and "embedding" not in texts(plans[1])
    assert [plan.texts[0].text for plan in plan_answers(recording, STYLE)] == list(names)

    frames = [plan_input_frame(endpoint_recordings.volumes(), 0, 1.0, STYLE, least) for least in (0.0, 0.1)]
    captions = [[run.text for run in plan.texts if run.text.startswith("volume of")] for plan in frames]
    assert [len(found) for found in captions] == [1, 0]

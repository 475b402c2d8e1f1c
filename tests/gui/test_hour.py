"""The first hour of three people, each in a fresh window: a lecturer's, a researcher's and an explorer's."""

import os

import pytest

pytestmark = pytest.mark.skipif(not os.environ.get("INNERWALK_DATA"), reason="photographs: INNERWALK_DATA names none")


def test_a_lecturer_walks_after_few_actions_and_finds_everything_again(play):
    result = play("lecturer")
    assert len(result["actions to the walk"]) <= 6
    assert result["said while shaders were compiled"] == "compiling shaders, once"
    assert result["said afterwards"] == ""


def test_a_researcher_brings_a_model(play):
    result = play("researcher")
    assert len(result["actions to the hall"]) <= 8
    assert "<svg" in result["figure"]
    assert result["answer"] != result["answer without a channel"]


def test_an_explorer_finds_everything_by_menus_and_keys(play):
    result = play("explorer")
    assert result["steps undone and done again"] == 2

"""Work in steps: some of it as long as there is time, or all of it for its result."""

import pytest

from innerwalk.blender_addon.time_slicing import run_all, run_for


def counted():
    yield "a"
    yield "b"
    return 7


def test_a_step_is_taken_even_where_there_is_no_time():
    work = counted()
    assert [run_for(work, -1.0) for _ in range(2)] == ["a", "b"]
    with pytest.raises(StopIteration) as done:
        run_for(work, -1.0)
    assert done.value.value == 7


def test_all_that_there_is_time_for():
    with pytest.raises(StopIteration) as done:
        run_for(counted(), 60.0)
    assert done.value.value == run_all(counted()) == 7

"""Some of the fuzzers' mutants: each is read, or refused with an error of ours on one line; the bench tries more."""

import pytest

from innerwalk.bench import fuzz_recipes, fuzz_recordings


@pytest.mark.parametrize(
    "attempt", [fuzz_recordings.try_recordings, fuzz_recordings.try_series, fuzz_recordings.try_headers]
)
def test_mutants_of_recordings(attempt) -> None:
    check(attempt(200, seed=1), 200)


def test_mutants_of_recipes() -> None:
    check(fuzz_recipes.try_recipes(400, seed=1), 400)


@pytest.mark.parametrize("name", ["try_pictures", "try_inputs", "try_weights", "try_orders"])
def test_mutants_of_files(name) -> None:
    pytest.importorskip("torch", reason="needs torch")
    pytest.importorskip("PIL", reason="needs Pillow")
    from innerwalk.bench import fuzz_files

    check(getattr(fuzz_files, name)(200, seed=1), 200)


def test_mutants_of_requests(tmp_path, monkeypatch) -> None:
    pytest.importorskip("torch", reason="needs torch")
    from innerwalk.bench import fuzz_requests
    from innerwalk.tests.support import bridges

    monkeypatch.chdir(tmp_path)
    networks = {fuzz_requests.NETWORK: {"model": fuzz_requests.NETWORK}}
    with bridges.serving_here(networks, {fuzz_requests.NETWORK: "concepts:object"}) as server:
        with bridges.joined(server) as bridge:
            check(fuzz_requests.try_requests(bridge, 200, seed=1), 200)
    assert list(tmp_path.iterdir()) == []


def check(counts, tried) -> None:
    """Both kinds of good ends happen, and no other."""
    assert counts.wrong == []
    assert counts.tried == counts.right + counts.refused == tried and min(counts.right, counts.refused) > tried // 20

"""Turns: one at a time, whoever can't wait goes first."""

import threading

import pytest

pytest.importorskip("torch", reason="needs torch")

from innerwalk.torch_bridge.server.priority_lock import PriorityLock


class Waiting:
    """Threads that want a turn, and the order in which they got it."""

    def __init__(self, turns: PriorityLock) -> None:
        self.lock, self.order, self.threads = turns, [], []

    def want(self, kind: str, name: str) -> None:
        def work():
            with getattr(self.lock, kind)():
                self.order.append(name)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self.threads.append(thread)
        thread.join(0.05)

    def finish(self) -> list[str]:
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()
        return self.order


def test_who_cannot_wait_goes_first():
    turns = PriorityLock()
    waiting = Waiting(turns)
    with turns.later():
        for kind, name in (("later", "job 1"), ("later", "job 2"), ("now", "input 1"), ("now", "input 2")):
            waiting.want(kind, name)
        assert waiting.order == []
    order = waiting.finish()
    assert set(order[:2]) == {"input 1", "input 2"} and set(order[2:]) == {"job 1", "job 2"}


def test_one_at_a_time():
    turns, inside, most = PriorityLock(), [0], [0]

    def work(kind):
        for _ in range(200):
            with getattr(turns, kind)():
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work, args=(kind,)) for kind in ("now", "later", "now", "later")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1]


@pytest.mark.parametrize("kind", ["now", "later"])
def test_a_turn_that_fails_is_over(kind):
    turns = PriorityLock()
    with pytest.raises(ValueError, match="no"), getattr(turns, kind)():
        raise ValueError("no")
    with turns.later(), pytest.raises(AssertionError):
        raise AssertionError
    with turns.now():
        pass


def test_after_the_end_nobody_gets_a_turn():
    turns = PriorityLock()
    waiting = Waiting(turns)
    with turns.now():
        ended = threading.Thread(target=turns.shut)
        ended.start()
        waiting.want("later", "job")
        assert ended.is_alive()
    ended.join(10)
    turns.shut()
    waiting.want("now", "input")
    assert waiting.order == [] and all(thread.is_alive() for thread in waiting.threads)

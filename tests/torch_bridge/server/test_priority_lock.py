"""The lock: one holder at a time, urgent callers first."""

import threading

import pytest

pytest.importorskip("torch", reason="needs torch")

from innerwalk.torch_bridge.server.priority_lock import PriorityLock


class Waiting:
    """Threads that wait for the lock, and the order in which they got it."""

    def __init__(self, lock: PriorityLock) -> None:
        self.lock, self.order, self.threads = lock, [], []

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


def test_urgent_callers_go_first():
    lock = PriorityLock()
    waiting = Waiting(lock)
    with lock.background():
        for kind, name in (
            ("background", "job 1"),
            ("background", "job 2"),
            ("urgent", "input 1"),
            ("urgent", "input 2"),
        ):
            waiting.want(kind, name)
        assert waiting.order == []
    order = waiting.finish()
    assert set(order[:2]) == {"input 1", "input 2"} and set(order[2:]) == {"job 1", "job 2"}


def test_one_at_a_time():
    lock, inside, most = PriorityLock(), [0], [0]

    def work(kind):
        for _ in range(200):
            with getattr(lock, kind)():
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work, args=(kind,)) for kind in ("urgent", "background", "urgent", "background")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1]


@pytest.mark.parametrize("kind", ["urgent", "background"])
def test_an_error_releases_the_lock(kind):
    lock = PriorityLock()
    with pytest.raises(ValueError, match="no"), getattr(lock, kind)():
        raise ValueError("no")
    with lock.background(), pytest.raises(AssertionError):
        raise AssertionError
    with lock.urgent():
        pass


def test_after_closing_nobody_gets_the_lock():
    lock = PriorityLock()
    waiting = Waiting(lock)
    with lock.urgent():
        ended = threading.Thread(target=lock.close)
        ended.start()
        waiting.want("background", "job")
        assert ended.is_alive()
    ended.join(10)
    lock.close()
    waiting.want("urgent", "input")
    assert waiting.order == [] and all(thread.is_alive() for thread in waiting.threads)

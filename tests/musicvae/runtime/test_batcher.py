import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from musicvae.generation.inputs import Excerpt
from musicvae.generation.requests import InterpolateRequest, SampleRequest, TransformRequest
from musicvae.runtime.batcher import Batcher, finish, own_s


class Count:
    """A loop whose rows count the steps, and whose batch is told who took them."""

    def __init__(self, steps, rows=1, key="count", taken=None):
        self.key, self.rows, self.left = key, rows, steps
        self.counts = np.zeros(rows, int)
        self.taken = [] if taken is None else taken

    def join(self, others):
        return Count(self.left, self.rows + sum(each.rows for each in others), taken=self.taken)

    def step(self):
        self.counts += 1
        self.left -= 1
        self.taken.append(self.rows)

    def keep(self, rows):
        self.counts = self.counts[rows]
        self.rows = len(self.counts)

    def split(self, sizes):
        return np.split(self.counts, np.cumsum(sizes)[:-1])


@pytest.fixture
def batcher():
    batcher = Batcher()
    yield batcher
    batcher.close()


def together(batcher, *tasks):
    """Begins all tasks before any takes a step."""
    hold = threading.Event()
    batcher.submit(hold.wait)
    futures = [batcher.submit(task) for task in tasks]
    hold.set()
    return futures


def test_alone_a_loop_takes_its_steps_at_once():
    assert finish(Count(5, rows=2)).tolist() == [5, 5]


def test_tasks_take_their_steps_together(batcher):
    taken = []
    tasks = [lambda: finish(Count(8, 2, taken=taken)), lambda: finish(Count(8, 3, taken=taken))]
    first, second = together(batcher, *tasks)
    assert (first.result().tolist(), second.result().tolist()) == ([8] * 2, [8] * 3)
    assert taken == [5] * 8


def test_short_tasks_end_before_long_tasks(batcher):
    ended = []

    def task(name, steps):
        finish(Count(steps, key=name))
        ended.append(name)

    for each in together(batcher, lambda: task("long", 1_000), lambda: task("short", 10)):
        each.result()
    assert ended == ["short", "long"]


def test_a_task_that_is_cancelled_leaves_its_batch(batcher):
    taken = []
    futures = []

    class Last(Count):
        def step(self):
            if self.left == 4:
                futures[0].cancel()
            super().step()

        def join(self, others):
            return Last(self.left, 1 + len(others), taken=self.taken)

    futures += together(
        batcher, *[lambda: finish(Last(8, taken=taken)), lambda: finish(Last(8, taken=taken))]
    )
    assert futures[1].result().tolist() == [8]
    with pytest.raises(CancelledError):
        futures[0].result()
    assert taken == [2] * 5 + [1] * 3


def test_a_caller_with_many_tasks_delays_another_by_few(batcher):
    begun, hold, done = threading.Event(), threading.Event(), []
    batcher.submit(lambda: (begun.set(), hold.wait()))
    begun.wait()
    many = [batcher.submit(lambda: done.append("many"), "many") for _ in range(200)]
    one = batcher.submit(lambda: done.append("one"), "one")
    hold.set()
    for each in (*many, one):
        each.result()
    assert done.index("one") <= 2


def test_settings_of_callers_do_not_pile_up(batcher):
    for key in range(100):
        batcher.submit(lambda key=key: finish(Count(2, key=key))).result()
    batcher.submit(lambda: None).result()
    assert len(batcher._waiting) <= 1


def test_a_mistake_reaches_its_own_task_alone(batcher):
    def wrong():
        finish(Count(3))
        raise ValueError("mine")

    first, second = together(batcher, wrong, lambda: finish(Count(3)))
    with pytest.raises(ValueError, match="mine"):
        first.result()
    assert second.result().tolist() == [3]


def test_a_step_that_fails_ends_its_tasks_and_not_the_thread(batcher):
    class Broken(Count):
        def step(self):
            raise ValueError("broken")

        def join(self, others):
            return Broken(self.left, 1 + len(others))

    tasks = [lambda: finish(Broken(3)), lambda: finish(Broken(3)), lambda: finish(Count(3, key=2))]
    first, second, third = together(batcher, *tasks)
    for each in (first, second):
        with pytest.raises(ValueError, match="broken"):
            each.result()
    assert third.result().tolist() == [3]


def test_closing_ends_what_has_begun_and_cancels_the_rest():
    batcher = Batcher()
    begun, hold = threading.Event(), threading.Event()
    first = batcher.submit(lambda: (begun.set(), hold.wait(), finish(Count(3)))[2])
    begun.wait()
    later = batcher.submit(lambda: None)
    closing = threading.Thread(target=batcher.close)
    closing.start()
    while batcher._inbox.qsize() < 2:
        pass
    hold.set()
    closing.join()
    assert first.result().tolist() == [3]
    assert later.cancelled() or later.result() is None


def test_seconds_of_others_do_not_count(batcher):
    def slow():
        start_s = own_s()
        threading.Event().wait(0.05)
        finish(Count(4))
        return own_s() - start_s

    def quick():
        start_s = own_s()
        finish(Count(4))
        return own_s() - start_s

    first, second = together(batcher, slow, quick)
    assert second.result() < 0.05 <= first.result()


def requests(models, music):
    """Requests of all kinds, several for each model, each with a seed of its own."""
    for number, model in enumerate(models):
        name = model.name
        chords = {"chords": "C | F"} if model.needs_chords else {}
        for count in (1, 3):
            how = {"model": name, "seed": number + count, **chords}
            yield "sample", SampleRequest(count=count, **how)
            yield "sample", SampleRequest(count=count, temperature=1.2, top_p=0.9, **how)
            excerpt = Excerpt(notes=music[name])
            yield "interpolate", InterpolateRequest(points=[excerpt] * 2, count=3, **how)
        amounts = {"note_density": 1.0}
        yield "transform", TransformRequest(point=excerpt, amounts=amounts, **how)


def test_music_is_the_same_beside_any_other_music(batcher, family_engine, music):
    asked = list(requests(family_engine.models(), music))

    def answer(name, request):
        made = getattr(family_engine, name)(request)
        return [made.before, made.after] if name == "transform" else list(made)

    tasks = [lambda each=each: answer(*each) for each in asked]
    futures = together(batcher, *tasks, *tasks[::3])
    for number, future in enumerate(futures):
        own = tasks[number] if number < len(tasks) else tasks[::3][number - len(tasks)]
        assert future.result() == own()

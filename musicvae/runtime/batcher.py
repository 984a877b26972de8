"""A thread runs many tasks: rows of tasks that draw with the same network take steps together.

A task is any function. Where it draws or encodes, it hands its rows over as a `Loop` and waits; the
thread meanwhile goes on with other tasks. Loops of one key become one batch, and the batches take
turns, a step each: so a task of two bars never waits for a task of sixteen. A row's events are the
same in any batch, see `musicvae.runtime.graph`.

Tasks are greenlets: they wait in the middle of a function, and only there. Threads would hold each
other up, since Python runs one at a time and changes between them every 5 ms.
"""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Future
from itertools import compress
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

import greenlet
import numpy as np
from jaxtyping import Bool

MOST_STEPS = 4_096
"""The steps of all rows of a batch: wider batches gain little on a CPU, and delay all in them."""
_MOST_BATCHES = 2
"""Batches of one key at the same time. A new batch starts when the newest has taken a quarter of
its steps: so a task waits for a quarter of another task's time, not for all of it."""
_MOST_TASKS = 64
"""Tasks at the same time; further tasks wait in order."""

Result = TypeVar("Result")


@runtime_checkable  # jaxtyping's checker tests for it
class Loop(Protocol[Result]):
    """Rows that take steps together.

    Attributes:
        key: Loops of equal keys can become one.
        rows: The number of rows.
        left: The number of steps to come, the same for all rows.
    """

    key: Hashable
    rows: int
    left: int

    def join(self, others: Sequence[Any]) -> Loop[Result]:
        """The rows of this loop and then of the others, before step 0."""

    def step(self) -> None:
        """Takes one step."""

    def keep(self, rows: Bool[np.ndarray, " row"]) -> None:
        """Goes on with some rows alone."""

    def split(self, sizes: Sequence[int]) -> list[Result]:
        """After the last step: the result of so many rows, of so many more, and so on."""


def finish(loop: Loop[Result]) -> Result:
    """Takes all steps of a loop, in a task together with other tasks."""
    task = greenlet.getcurrent()
    if isinstance(task, _Task):
        result: Result = task.wait(loop)
        return result
    while loop.left:
        loop.step()
    return loop.split([loop.rows])[0]


def own_s() -> float:
    """A clock that counts only the seconds of the running task, if there is a task."""
    task = greenlet.getcurrent()
    return task.own_s() if isinstance(task, _Task) else time.perf_counter()


class Batcher:
    """Runs tasks on one thread.

    Args:
        tell_batch: Gets the rows of each batch that ends, and the mean seconds of a step.
    """

    def __init__(self, tell_batch: Callable[[int, float], None] | None = None) -> None:
        self._tell_batch = tell_batch
        self._inbox: SimpleQueue[_Task[Any] | None] = SimpleQueue()
        self._fresh = _Rounds()
        self._ready: deque[tuple[_Task[Any], Any]] = deque()
        self._waiting: dict[Hashable, deque[tuple[_Task[Any], Loop[Any]]]] = defaultdict(deque)
        self._batches: list[_Batch] = []
        self._tasks = 0
        self._is_closed = False
        self._thread = Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], Result], caller: str = "") -> Future[Result]:
        """Begins a task. If its future is cancelled, the task ends before the next step.

        Tasks begin in rounds, one of each caller a round.
        """
        task = _Task(work, caller)
        self._inbox.put(task)
        return task.future

    def close(self) -> None:
        """Ends the thread after the tasks that have begun; the others are cancelled."""
        self._inbox.put(None)
        self._thread.join()

    def _run(self) -> None:
        while self._tasks or self._fresh or not self._is_closed:
            self._receive(is_idle=not (self._tasks or self._fresh))
            while self._fresh and self._tasks < _MOST_TASKS:
                self._start(self._fresh.take())
            while self._ready:
                self._resume(*self._ready.popleft())
            self._end_cancelled()
            self._begin_batches()
            self._step()

    def _begin_batches(self) -> None:
        for key in [*self._waiting]:
            waiting = self._waiting[key]
            if waiting and self._may_start(key, waiting[0][1].left):
                self._batches.append(_Batch(_take(waiting)))
            if not waiting:  # callers choose parts of the keys: they must not pile up
                del self._waiting[key]

    def _step(self) -> None:
        """Lets each batch take a step, but the longer it has to go the less often."""
        least = min((batch.loop.left for batch in self._batches), default=0)
        for batch in self._batches:
            batch.turns += least / batch.loop.left
            if batch.turns >= 1:
                batch.turns -= 1
                batch.step()
                if batch.is_done:
                    if self._tell_batch is not None:
                        self._tell_batch(batch.loop.rows, batch.step_s)
                    self._ready.extend(batch.results())
        self._batches = [batch for batch in self._batches if not batch.is_done]

    def _receive(self, *, is_idle: bool) -> None:
        """Takes new tasks; waits for one if there is nothing to do."""
        while is_idle or not self._inbox.empty():
            task = self._inbox.get()
            is_idle = False
            if task is None:
                self._is_closed = True
                while self._fresh:
                    self._fresh.take().future.cancel()
            elif self._is_closed:
                task.future.cancel()
            else:
                self._fresh.add(task)

    def _start(self, task: _Task[Any]) -> None:
        if not task.future.cancelled():
            task.parent = greenlet.getcurrent()
            self._tasks += 1
            self._resume(task, None)

    def _resume(self, task: _Task[Any], value: Any) -> None:
        """Lets a task go on until it waits or ends."""
        loop = task.resume(value)
        if task.dead:
            self._tasks -= 1
        else:
            self._waiting[loop.key].append((task, loop))

    def _end_cancelled(self) -> None:
        """Ends the waiting tasks whose futures are cancelled; their rows leave their batches."""
        gone: list[_Task[Any]] = []
        for waiting in self._waiting.values():
            gone += [task for task, _ in waiting if task.future.cancelled()]
            for each in [each for each in waiting if each[0].future.cancelled()]:
                waiting.remove(each)
        for batch in self._batches:
            gone += batch.drop_cancelled()
        self._batches = [batch for batch in self._batches if batch.loop.rows]
        for task in gone:
            task.throw()
            self._tasks -= 1

    def _may_start(self, key: Hashable, length: int) -> bool:
        running = [batch.loop.left for batch in self._batches if batch.loop.key == key]
        if len(running) >= _MOST_BATCHES:
            return False
        return not running or max(running) <= length * (_MOST_BATCHES - 1) // _MOST_BATCHES


class _Task(greenlet.greenlet, Generic[Result]):  # type: ignore[misc]  # untyped
    """A function that can wait in its middle.

    Attributes:
        caller: The name of its caller.
        future: Its result.
    """

    def __init__(self, work: Callable[[], Result], caller: str) -> None:
        super().__init__(self._work)
        self.caller = caller
        self.future: Future[Result] = Future()
        self._function = work
        self._spent_s = 0.0
        self._resumed_s = 0.0

    def own_s(self) -> float:
        """The seconds that it has taken so far."""
        return self._spent_s + time.perf_counter() - self._resumed_s

    def wait(self, loop: Loop[Result]) -> Result:
        """Hands over a loop, and comes back with its result."""
        result = self.parent.switch(loop)
        if isinstance(result, _Mistake):
            raise result.error
        found: Result = result
        return found

    def resume(self, value: Any) -> Any:
        """Goes on, from the batcher's thread."""
        self._resumed_s = time.perf_counter()
        handed_over = self.switch(value)
        self.spend(time.perf_counter() - self._resumed_s)
        return handed_over

    def spend(self, seconds: float) -> None:
        """Counts seconds that were spent for it."""
        self._spent_s += seconds

    def _work(self, _: None) -> None:
        try:
            result = self._function()
        except greenlet.GreenletExit:
            return
        except BaseException as error:  # noqa: BLE001  # the future raises it
            if self.future.set_running_or_notify_cancel():
                self.future.set_exception(error)
        else:
            if self.future.set_running_or_notify_cancel():
                self.future.set_result(result)


class _Mistake(NamedTuple):
    """The error that a step raised."""

    error: Exception


class _Rounds:
    """Tasks that have not begun, by caller."""

    def __init__(self) -> None:
        self._by_caller: OrderedDict[str, deque[_Task[Any]]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._by_caller)

    def add(self, task: _Task[Any]) -> None:
        self._by_caller.setdefault(task.caller, deque()).append(task)

    def take(self) -> _Task[Any]:
        """Takes the first task of the caller whose turn is longest ago."""
        caller, tasks = self._by_caller.popitem(last=False)
        task = tasks.popleft()
        if tasks:
            self._by_caller[caller] = tasks
        return task


class _Batch:
    """Loops of several tasks that take their steps together."""

    def __init__(self, members: Sequence[tuple[_Task[Any], Loop[Any]]]) -> None:
        self._tasks = [task for task, _ in members]
        self._sizes = [loop.rows for _, loop in members]
        first, *others = (loop for _, loop in members)
        self.loop = first.join(others) if others else first
        self.turns = 0.0
        self._steps, self._spent_s = 0, 0.0
        self._mistake: _Mistake | None = None

    @property
    def is_done(self) -> bool:
        """Whether it has taken its last step, or could not take a step."""
        return not self.loop.left or self._mistake is not None

    @property
    def step_s(self) -> float:
        """The mean seconds of the steps that were taken."""
        return self._spent_s / self._steps

    def step(self) -> None:
        """Takes a step, and shares its time among the tasks by their rows."""
        start_s = time.perf_counter()
        try:
            self.loop.step()
        except Exception as error:  # noqa: BLE001  # it ends these tasks, and not the thread
            self._mistake = _Mistake(error)
        seconds = time.perf_counter() - start_s
        self._steps += 1
        self._spent_s += seconds
        each_s = seconds / sum(self._sizes)
        for task, size in zip(self._tasks, self._sizes, strict=True):
            task.spend(each_s * size)

    def drop_cancelled(self) -> list[_Task[Any]]:
        """Drops the rows of the tasks whose futures are cancelled, and gives these tasks."""
        gone = [task.future.cancelled() for task in self._tasks]
        if any(gone):
            self.loop.keep(~np.repeat(gone, self._sizes))
        dropped = list(compress(self._tasks, gone))
        stay = [not each for each in gone]
        self._tasks, self._sizes = (
            list(compress(self._tasks, stay)),
            list(compress(self._sizes, stay)),
        )
        return dropped

    def results(self) -> Iterable[tuple[_Task[Any], Any]]:
        """The result of each task, or the mistake."""
        if self._mistake is not None:
            return [(task, self._mistake) for task in self._tasks]
        return zip(self._tasks, self.loop.split(self._sizes), strict=True)


def _take(waiting: deque[tuple[_Task[Any], Loop[Any]]]) -> list[tuple[_Task[Any], Loop[Any]]]:
    """Takes tasks in order, as many as fit into a batch, at least one."""
    taken = [waiting.popleft()]
    steps = taken[0][1].left * taken[0][1].rows
    while waiting and steps + waiting[0][1].left * waiting[0][1].rows <= MOST_STEPS:
        taken.append(waiting.popleft())
        steps += taken[-1][1].left * taken[-1][1].rows
    return taken

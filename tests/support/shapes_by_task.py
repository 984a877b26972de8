"""jaxtyping's checker of shapes, for tasks that wait in the middle of a function.

It keeps the axes of the running functions by thread; the tasks of a `Batcher` share a thread, and
each has a context of its own.
"""

from contextvars import ContextVar

import jaxtyping._storage


class Stacks:
    """Holds a stack for each task."""

    _own = ContextVar("stack of axes")

    @property
    def memo_stack(self):
        try:
            return self._own.get()
        except LookupError:
            raise AttributeError("memo_stack") from None

    @memo_stack.setter
    def memo_stack(self, stack):
        self._own.set(stack)


jaxtyping._storage._shape_storage = Stacks()

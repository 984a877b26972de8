"""Compares values that hold arrays by identity, since `==` of two arrays is an array."""

from typing import TypeVar

Value = TypeVar("Value")


def compare_by_identity(kind: type[Value]) -> type[Value]:
    """Lets `==`, `in` and `hash` of a named tuple use identity instead of equal fields.

    Dataclasses use `eq=False` instead.
    """

    def equal(self: object, other: object) -> bool:
        return self is other

    def different(self: object, other: object) -> bool:
        return self is not other

    for name, method in (("__eq__", equal), ("__ne__", different), ("__hash__", object.__hash__)):
        setattr(kind, name, method)
    return kind

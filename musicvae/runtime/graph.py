"""ONNX graphs, written in memory from arrays and run by ONNX Runtime on one thread.

The package `onnx` would write the same bytes, and would bring 33 MB and a second version of
protobuf's types for the five messages that a graph needs.

Conventions: the first axis of every input and output is the batch, of any width. A row of a result
is the same to the last bit at every width: ONNX Runtime packs constant matrices beforehand and then
sums each row in one order. The tests hold this; `ReduceSum`, `ReduceMean` and `Log` break it and
are not used.

Source: onnx.proto of ONNX 1.16, for the numbers of the fields.
"""

import ctypes
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime

_IR_VERSION = 8
_OPSET = 17
_VARINT, _BYTES = 0, 2
_TYPES = {
    np.dtype(np.float32): 1,
    np.dtype(np.int32): 6,
    np.dtype(np.int64): 7,
    np.dtype(np.bool_): 9,
}
_INT, _STRING, _INTS = 2, 3, 7

AnyArray = np.ndarray[Any, np.dtype[Any]]


class Network:
    """A graph that is ready to run.

    Args:
        session: The graph.
        outputs: The names of its outputs, in order.
    """

    def __init__(self, session: onnxruntime.InferenceSession, outputs: Sequence[str]) -> None:
        self._run, self._outputs = session.run, list(outputs)

    def __call__(self, **inputs: AnyArray) -> list[AnyArray]:
        """The outputs, in order."""
        results: list[AnyArray] = self._run(self._outputs, inputs)
        return results


class Graph:
    """A graph under construction. A value is known by its name."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._inputs: list[bytes] = []
        self._count = 0

    def input(self, name: str, *shape: int | str, dtype: type = np.float32) -> str:
        """Adds an input; an axis of unknown size has a name."""
        self._inputs.append(_value(name, np.dtype(dtype), shape))
        return name

    def constant(self, values: AnyArray) -> str:
        """Adds a constant."""
        name = self._new()
        self._constants.append(_tensor(name, values))
        return name

    def ints(self, *values: int) -> str:
        """Adds a constant of whole numbers, such as axes."""
        return self.constant(np.array(values, dtype=np.int64))

    def add(self, operator: str, *inputs: str, **attributes: int | str | Sequence[int]) -> str:
        """Adds a node with one output. An input that is left out has the name ""."""
        (output,) = self.add_many(operator, *inputs, count=1, **attributes)
        return output

    def add_many(
        self, operator: str, *inputs: str, count: int, **attributes: int | str | Sequence[int]
    ) -> list[str]:
        """Adds a node with several outputs."""
        outputs = [self._new() for _ in range(count)]
        self._nodes.append(_node(operator, inputs, outputs, attributes))
        return outputs

    def linear(self, values: str, weight: AnyArray, bias: AnyArray | None = None) -> str:
        """Adds `values @ weight.T + bias`."""
        product = self.add("MatMul", values, self.constant(weight.T))
        return product if bias is None else self.add("Add", product, self.constant(bias))

    def compile(self, *outputs: str) -> Network:
        """Ends the graph."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors
        options.enable_cpu_mem_arena = False  # it keeps up to twice the memory that weights need
        session = onnxruntime.InferenceSession(
            self._to_bytes(outputs), options, providers=["CPUExecutionProvider"]
        )
        session._model_bytes = b""  # noqa: SLF001  # else each constant would be in memory twice
        _give_back_memory()
        return Network(session, outputs)

    def _new(self) -> str:
        self._count += 1
        return f"_{self._count}"

    def _to_bytes(self, outputs: Sequence[str]) -> bytes:
        graph = [
            *(_field(1, node) for node in self._nodes),
            _field(2, b"graph"),
            *(_field(5, constant) for constant in self._constants),
            *(_field(11, value) for value in self._inputs),
            *(_field(12, _field(1, name.encode())) for name in outputs),
        ]
        return b"".join(
            [_field(1, _IR_VERSION), _field(8, _field(2, _OPSET)), _field(7, b"".join(graph))]
        )


def _give_back_memory() -> None:
    """Gives freed memory back to the system: a graph under construction takes much for a moment."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
        if trim is not None:
            trim(0)


def _node(
    operator: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    attributes: Mapping[str, int | str | Sequence[int]],
) -> bytes:
    parts = [
        *(_field(1, name.encode()) for name in inputs),
        *(_field(2, name.encode()) for name in outputs),
        _field(4, operator.encode()),
        *(_field(5, _attribute(name, value)) for name, value in attributes.items()),
    ]
    return b"".join(parts)


def _attribute(name: str, value: int | str | Sequence[int]) -> bytes:
    if isinstance(value, int):
        kind, content = _INT, _field(3, value)
    elif isinstance(value, str):
        kind, content = _STRING, _field(4, value.encode())
    else:
        kind, content = _INTS, b"".join(_field(8, each) for each in value)
    return _field(1, name.encode()) + content + _field(20, kind)


def _tensor(name: str, values: AnyArray) -> bytes:
    sizes = b"".join(_field(1, size) for size in values.shape)
    data = np.ascontiguousarray(values).tobytes()
    return sizes + _field(2, _TYPES[values.dtype]) + _field(8, name.encode()) + _field(9, data)


def _value(name: str, dtype: np.dtype[Any], shape: Sequence[int | str]) -> bytes:
    axes = [
        _field(1, _field(1, size) if isinstance(size, int) else _field(2, size.encode()))
        for size in shape
    ]
    tensor = _field(1, _TYPES[dtype]) + _field(2, b"".join(axes))
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, value: int | bytes) -> bytes:
    """A field of a message of protobuf: a whole number, or bytes behind their length."""
    if isinstance(value, int):
        return _key(number, _VARINT) + _varint(value)
    return _key(number, _BYTES) + _varint(len(value)) + value


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number as its 64 bits."""
    value &= (1 << 64) - 1
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    digits.append(value)
    return bytes(digits)

import ast
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int16

import musicvae
from musicvae.identity import compare_by_identity

ARRAY = re.compile(r"\b(ndarray|Tensor)\b")


def find_values():
    """The place and the definition of every class of the package that has a field of arrays."""
    root = Path(musicvae.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and any(map(is_array, node.body)):
                yield f"{path.relative_to(root)}: {node.name}", node


def is_array(node):
    if not isinstance(node, ast.AnnAssign):
        return False
    hint = ast.unparse(node.annotation)
    return not hint.startswith("Callable") and ARRAY.search(hint) is not None


def compares_fields(node):
    head = " ".join(map(ast.unparse, node.decorator_list))
    if "NamedTuple" in map(ast.unparse, node.bases):
        return "compare_by_identity" not in head
    return "dataclass" in head and "eq=False" not in head


def test_no_value_that_holds_arrays_compares_them():
    values = dict(find_values())
    assert len(values) > 20
    unsafe = [place for place, node in values.items() if compares_fields(node)]
    assert not unsafe, "decorate with compare_by_identity, or say eq=False"


@compare_by_identity
class Pair(NamedTuple):
    numbers: Int16[np.ndarray, " _"]
    name: str = ""


def test_a_named_tuple_is_equal_to_itself_alone():
    one, other = Pair(np.zeros(3, np.int16)), Pair(np.zeros(5, np.int16))
    assert one == one  # noqa: PLR0124
    assert one != other
    assert one in (other, one)
    assert len({one, other, one}) == 2
    assert one._replace(name="a").name == "a"

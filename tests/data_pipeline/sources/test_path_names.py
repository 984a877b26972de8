import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.data_pipeline.sources.path_names import PathNames, tidy


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b.mid", "a/b.mid"),
        ("/etc/a.mid", "etc/a.mid"),
        ("../../a.mid", "a.mid"),
        ("x/./../y//a.mid", "x/y/a.mid"),
        ("caf\udce9.mid", "caf\ufffd.mid"),
        ("a\n\x1b[31m.mid", "a\ufffd\ufffd[31m.mid"),
        ("x/..", "x/unnamed"),
        (".", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_a_tidy_path_is_text_and_leads_nowhere_else(path, expected):
    assert tidy(path) == expected


def named(paths):
    names, times = PathNames(map(hash, paths)), Counter()
    return [names.tell_apart(path, times) for path in paths]


@given(st.lists(st.sampled_from(["a", "b", "a~2", "a~2~2", "a~3", "b~2"])))
def test_no_two_files_have_one_name(paths):
    found = named(paths)
    assert len(set(found)) == len(paths)
    for number, (path, name) in enumerate(zip(paths, found, strict=True)):
        assert (path == name) == (path not in paths[:number])


def test_a_path_that_comes_often_costs_no_more_than_many_paths():
    start = time.process_time()
    assert named(["a"] * 20_000)[-1] == "a~20000"
    assert time.process_time() - start < 5  # looking from the first on takes a minute

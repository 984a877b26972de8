import numpy as np
import pytest

from musicvae.errors import MidiError, RequestError, SettingError
from musicvae.problems import Problems, is_whole_within


def test_nothing_wrong_raises_nothing():
    problems = Problems()
    problems.require(True, "a", 1, "1")
    problems.raise_all()


def test_one_wrong_field_is_raised_as_itself():
    problems = Problems()
    with problems.gather("points[0].midi"):
        raise MidiError("noise", expected="MIDI", action="Export it again.")
    with pytest.raises(MidiError, match="noise; expected MIDI") as caught:
        problems.raise_all()
    assert caught.value.field == "points[0].midi"


def test_several_wrong_fields_are_raised_as_one_each_field_once():
    problems = Problems()
    problems.require(False, "count", 0, "1 or more")
    with problems.gather("points"):
        raise RequestError(
            violation
            for field in ("seed", "count")
            for violation in SettingError("x", expected="y", action="z", field=field).violations
        )
    with pytest.raises(RequestError) as caught:
        problems.raise_all()
    said = "count=0; expected 1 or more. Give what is expected. seed: x; expected y. z"
    assert str(caught.value) == said
    assert [each.field for each in caught.value.violations] == ["count", "seed"]
    assert len(problems) == 2


@pytest.mark.parametrize("value", [-1, 2**63, 1.5, "a", None, np.float32(2)])
def test_no_whole_number_in_a_large_range_is_found_at_once(value):
    assert not is_whole_within(value, range(2**63))


@pytest.mark.parametrize("value", [0, 2**62, np.int64(2**62), np.array(3)])
def test_whole_numbers_of_any_type_are_found_at_once(value):
    assert is_whole_within(value, range(2**63))


def test_mistakes_of_ours_fly():
    problems = Problems()
    with pytest.raises(ZeroDivisionError), problems.gather("a"):
        1 / 0  # noqa: B018

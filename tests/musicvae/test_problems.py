import pytest

from musicvae.errors import MidiError, RequestError, SettingError
from musicvae.problems import Problems


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
    said = "count=0; expected 1 or more. Change it. seed: x; expected y. z"
    assert str(caught.value) == said
    assert [each.field for each in caught.value.violations] == ["count", "seed"]
    assert len(problems) == 2


def test_mistakes_of_ours_fly():
    problems = Problems()
    with pytest.raises(ZeroDivisionError), problems.gather("a"):
        1 / 0  # noqa: B018

import pytest

from musicvae.errors import SettingError
from musicvae.music.midi.limits import DEFAULT_LIMITS
from musicvae.server import Limits, Settings


@pytest.mark.parametrize(
    ("name", "value"), [("max_rpcs", 0), ("max_message_bytes", -1), ("max_call_s", 0.0)]
)
def test_limit_of_nothing_is_refused(name, value):
    with pytest.raises(SettingError, match=f"{name}={value}; expected above 0"):
        Settings(**{name: value})


def test_queue_must_hold_the_largest_request():
    with pytest.raises(SettingError, match="room for the largest request, 500 steps"):
        Settings(limits=Limits(max_steps=500), max_waiting_steps=499)


def test_the_limit_of_steps_allows_the_other_limits_for_sixteen_bars():
    limits = Limits()
    path = (limits.max_points - 1) * (limits.max_path_count - 1) + 1
    assert max(limits.max_count, limits.max_latents, path) * 16 * 16 <= limits.max_steps


def test_server_reads_a_file_as_a_command_does():
    assert Limits().midi == DEFAULT_LIMITS
    assert Settings().max_message_bytes > 2 * DEFAULT_LIMITS.max_bytes

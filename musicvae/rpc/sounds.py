"""The sounds of lines as messages of the contract and back."""

from collections.abc import Mapping

from musicvae.generation.sounds import Sound
from musicvae.music.notes import DEFAULT_VELOCITY
from musicvae.v1 import musicvae_pb2 as pb


def sounds_to_message(sounds: Mapping[str, Sound]) -> dict[str, pb.Sound]:
    """Writes sounds by line."""
    return {
        line: pb.Sound(program=sound.program, velocity=sound.velocity)
        for line, sound in sounds.items()
    }


def sounds_from_message(messages: Mapping[str, pb.Sound]) -> dict[str, Sound]:
    """Reads sounds by line, sorted by name; the order of a map is undefined."""
    return {
        line: Sound(program=sound.program, velocity=sound.velocity or DEFAULT_VELOCITY)
        for line, sound in sorted(messages.items())
    }

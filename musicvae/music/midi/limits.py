"""The limits of the MIDI files that are read: files come from strangers."""

from dataclasses import asdict, dataclass

from musicvae.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class MidiLimits:
    """The limits past which a file is refused.

    Attributes:
        max_bytes: Size of the file in bytes. The largest of a collection of 400 real files has
            half a megabyte; at 4 MiB symusic needs 50 ms and 40 MB.
        max_notes: Notes of all tracks. An hour of dense piano has 40,000; each takes 200 bytes.
        max_tracks: Tracks, counted after tracks with several channels are divided.
        max_program_changes: Bytes that could change a program (0xC0 to 0xCF). Each can start a new
            part, which takes symusic 5 kB: without a limit, 4 MiB of program changes would take
            2 GB. Real files have up to 1,300.
        max_length_quarters: End of the last note in quarter notes: two hours at 120 a minute. A
            file of a few bytes can claim a thousand times that, and an array of its steps would
            fill the memory.
    """

    max_bytes: int = 4 * 1024 * 1024
    max_notes: int = 100_000
    max_tracks: int = 512
    max_program_changes: int = 8_192
    max_length_quarters: int = 16_384

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value < 1:
                raise SettingError(
                    f"{name}={value}",
                    expected="1 or more",
                    action="Give the largest that is still to be read.",
                    field=name,
                )


DEFAULT_LIMITS = MidiLimits()

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musicvae import errors
from musicvae.music.chords import QUALITIES, Chord
from musicvae.music.notes import Key, Meter, Note, NoteSequence
from musicvae.problems import Problems
from musicvae.rpc.error_details import MOST_TEXT_BYTES, error_from_status, error_to_status
from musicvae.rpc.notes import notes_from_message, notes_to_message
from musicvae.rpc.replies import clip_from_message
from musicvae.v1 import musicvae_pb2 as pb

# Plain values: making ours is a matter of the test, not of the strategy, since the checker of
# types draws from the global generator.
NOTES = st.tuples(
    st.integers(0, 200),
    st.integers(0, 127),
    st.integers(201, 240),
    st.integers(1, 127),
    st.integers(0, 127),
    st.booleans(),
    st.floats(-0.5, 0.5),
)
METERS = st.tuples(st.integers(1, 255), st.sampled_from([1, 2, 4, 8, 16, 32, 64]))
KEYS = st.none() | st.tuples(st.integers(0, 11), st.booleans())


CHORDS = st.dictionaries(
    st.integers(0, 239),
    st.none() | st.tuples(st.integers(0, 11), st.sampled_from(sorted(QUALITIES))),
    max_size=5,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # other work may share the machine
@given(
    st.lists(NOTES, max_size=12),
    st.integers(240, 1000),
    st.floats(1, 1000),
    METERS,
    KEYS,
    CHORDS,
    st.sampled_from([4, 12]),
)
def test_notes_survive_the_wire(notes, length_steps, qpm, meter, key, chords, steps_per_quarter):
    sequence = NoteSequence(
        notes=tuple(sorted(Note(*note) for note in notes)),
        length_steps=length_steps,
        qpm=qpm,
        meter=Meter(*meter),
        key=key and Key(*key),
        steps_per_quarter=steps_per_quarter,
        chords=tuple(Chord(step, *(kind or ())) for step, kind in sorted(chords.items())),
    )
    sent = pb.NoteSequence.FromString(notes_to_message(sequence).SerializeToString())
    problems = Problems()
    assert notes_from_message(sent, problems, "notes") == sequence
    assert len(problems) == 0


def test_attributes_are_in_the_order_of_their_names():
    measures = dict.fromkeys("qwertyuiopasdfghjkl", 1.0)
    message = pb.Clip(notes=pb.NoteSequence(), attributes=measures)
    clip = clip_from_message(pb.Clip.FromString(message.SerializeToString()), "sample")
    assert list(clip.attributes) == sorted(measures)


def test_long_texts_are_cut_and_the_rest_stays():
    error = errors.SettingError("xä" * 5000, expected="less", action="Cut it.", field="name")
    read = error_from_status(error_to_status(error, 3))
    assert isinstance(read, errors.SettingError)
    assert MOST_TEXT_BYTES - 2 <= len(read.found.encode()) <= MOST_TEXT_BYTES
    assert (read.expected, read.action, read.field) == ("less", "Cut it.", "name")


def test_status_of_another_make_is_not_ours():
    status = error_to_status(errors.SettingError("a", expected="b", action="c"), 3)
    del status.details[:]
    assert error_from_status(status) is None

from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GrooveTask(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GROOVE_TASK_UNSPECIFIED: _ClassVar[GrooveTask]
    GROOVE_TASK_HUMANISE: _ClassVar[GrooveTask]
    GROOVE_TASK_TAP_TO_DRUMS: _ClassVar[GrooveTask]
    GROOVE_TASK_TRANSFER: _ClassVar[GrooveTask]

class ClipFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLIP_FORMAT_UNSPECIFIED: _ClassVar[ClipFormat]
    CLIP_FORMAT_MIDI: _ClassVar[ClipFormat]
    CLIP_FORMAT_NOTES: _ClassVar[ClipFormat]
GROOVE_TASK_UNSPECIFIED: GrooveTask
GROOVE_TASK_HUMANISE: GrooveTask
GROOVE_TASK_TAP_TO_DRUMS: GrooveTask
GROOVE_TASK_TRANSFER: GrooveTask
CLIP_FORMAT_UNSPECIFIED: ClipFormat
CLIP_FORMAT_MIDI: ClipFormat
CLIP_FORMAT_NOTES: ClipFormat

class LoadModelRequest(_message.Message):
    __slots__ = ("folder", "name")
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    folder: str
    name: str
    def __init__(self, folder: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class LoadModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class UnloadModelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class UnloadModelResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SampleRequest(_message.Message):
    __slots__ = ("model", "count", "seed", "first_index", "temperature", "top_p", "qpm", "clip_format", "chords", "key", "scale", "range", "style", "meter", "steps_per_quarter")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    FIRST_INDEX_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    QPM_FIELD_NUMBER: _ClassVar[int]
    CLIP_FORMAT_FIELD_NUMBER: _ClassVar[int]
    CHORDS_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    STEPS_PER_QUARTER_FIELD_NUMBER: _ClassVar[int]
    model: str
    count: int
    seed: int
    first_index: int
    temperature: float
    top_p: float
    qpm: float
    clip_format: ClipFormat
    chords: str
    key: str
    scale: str
    range: str
    style: str
    meter: str
    steps_per_quarter: int
    def __init__(self, model: _Optional[str] = ..., count: _Optional[int] = ..., seed: _Optional[int] = ..., first_index: _Optional[int] = ..., temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., qpm: _Optional[float] = ..., clip_format: _Optional[_Union[ClipFormat, str]] = ..., chords: _Optional[str] = ..., key: _Optional[str] = ..., scale: _Optional[str] = ..., range: _Optional[str] = ..., style: _Optional[str] = ..., meter: _Optional[str] = ..., steps_per_quarter: _Optional[int] = ...) -> None: ...

class SampleResponse(_message.Message):
    __slots__ = ("clip",)
    CLIP_FIELD_NUMBER: _ClassVar[int]
    clip: Clip
    def __init__(self, clip: _Optional[_Union[Clip, _Mapping]] = ...) -> None: ...

class InterpolateRequest(_message.Message):
    __slots__ = ("model", "points", "count", "seed", "temperature", "top_p", "qpm", "clip_format", "chords", "key", "scale", "range", "meter", "steps_per_quarter")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    QPM_FIELD_NUMBER: _ClassVar[int]
    CLIP_FORMAT_FIELD_NUMBER: _ClassVar[int]
    CHORDS_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    STEPS_PER_QUARTER_FIELD_NUMBER: _ClassVar[int]
    model: str
    points: _containers.RepeatedCompositeFieldContainer[Point]
    count: int
    seed: int
    temperature: float
    top_p: float
    qpm: float
    clip_format: ClipFormat
    chords: str
    key: str
    scale: str
    range: str
    meter: str
    steps_per_quarter: int
    def __init__(self, model: _Optional[str] = ..., points: _Optional[_Iterable[_Union[Point, _Mapping]]] = ..., count: _Optional[int] = ..., seed: _Optional[int] = ..., temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., qpm: _Optional[float] = ..., clip_format: _Optional[_Union[ClipFormat, str]] = ..., chords: _Optional[str] = ..., key: _Optional[str] = ..., scale: _Optional[str] = ..., range: _Optional[str] = ..., meter: _Optional[str] = ..., steps_per_quarter: _Optional[int] = ...) -> None: ...

class InterpolateResponse(_message.Message):
    __slots__ = ("clip",)
    CLIP_FIELD_NUMBER: _ClassVar[int]
    clip: Clip
    def __init__(self, clip: _Optional[_Union[Clip, _Mapping]] = ...) -> None: ...

class TransformRequest(_message.Message):
    __slots__ = ("model", "point", "amounts", "seed", "temperature", "top_p", "qpm", "clip_format", "chords", "key", "scale", "range", "meter", "steps_per_quarter")
    class AmountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    QPM_FIELD_NUMBER: _ClassVar[int]
    CLIP_FORMAT_FIELD_NUMBER: _ClassVar[int]
    CHORDS_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    STEPS_PER_QUARTER_FIELD_NUMBER: _ClassVar[int]
    model: str
    point: Point
    amounts: _containers.ScalarMap[str, float]
    seed: int
    temperature: float
    top_p: float
    qpm: float
    clip_format: ClipFormat
    chords: str
    key: str
    scale: str
    range: str
    meter: str
    steps_per_quarter: int
    def __init__(self, model: _Optional[str] = ..., point: _Optional[_Union[Point, _Mapping]] = ..., amounts: _Optional[_Mapping[str, float]] = ..., seed: _Optional[int] = ..., temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., qpm: _Optional[float] = ..., clip_format: _Optional[_Union[ClipFormat, str]] = ..., chords: _Optional[str] = ..., key: _Optional[str] = ..., scale: _Optional[str] = ..., range: _Optional[str] = ..., meter: _Optional[str] = ..., steps_per_quarter: _Optional[int] = ...) -> None: ...

class TransformResponse(_message.Message):
    __slots__ = ("before", "after")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    before: Clip
    after: Clip
    def __init__(self, before: _Optional[_Union[Clip, _Mapping]] = ..., after: _Optional[_Union[Clip, _Mapping]] = ...) -> None: ...

class EncodeRequest(_message.Message):
    __slots__ = ("model", "excerpt", "seed", "chords")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    EXCERPT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    CHORDS_FIELD_NUMBER: _ClassVar[int]
    model: str
    excerpt: Excerpt
    seed: int
    chords: str
    def __init__(self, model: _Optional[str] = ..., excerpt: _Optional[_Union[Excerpt, _Mapping]] = ..., seed: _Optional[int] = ..., chords: _Optional[str] = ...) -> None: ...

class EncodeResponse(_message.Message):
    __slots__ = ("latent", "mean", "stddev", "notes", "attributes", "seed", "model", "model_version", "chords", "sounds")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class SoundsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Sound
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Sound, _Mapping]] = ...) -> None: ...
    LATENT_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    STDDEV_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHORDS_FIELD_NUMBER: _ClassVar[int]
    SOUNDS_FIELD_NUMBER: _ClassVar[int]
    latent: Latent
    mean: _containers.RepeatedScalarFieldContainer[float]
    stddev: _containers.RepeatedScalarFieldContainer[float]
    notes: NoteSequence
    attributes: _containers.ScalarMap[str, float]
    seed: int
    model: str
    model_version: str
    chords: str
    sounds: _containers.MessageMap[str, Sound]
    def __init__(self, latent: _Optional[_Union[Latent, _Mapping]] = ..., mean: _Optional[_Iterable[float]] = ..., stddev: _Optional[_Iterable[float]] = ..., notes: _Optional[_Union[NoteSequence, _Mapping]] = ..., attributes: _Optional[_Mapping[str, float]] = ..., seed: _Optional[int] = ..., model: _Optional[str] = ..., model_version: _Optional[str] = ..., chords: _Optional[str] = ..., sounds: _Optional[_Mapping[str, Sound]] = ...) -> None: ...

class DecodeRequest(_message.Message):
    __slots__ = ("model", "latents", "seed", "temperature", "top_p", "qpm", "clip_format", "chords", "key", "scale", "range", "sounds", "meter", "steps_per_quarter")
    class SoundsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Sound
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Sound, _Mapping]] = ...) -> None: ...
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LATENTS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    QPM_FIELD_NUMBER: _ClassVar[int]
    CLIP_FORMAT_FIELD_NUMBER: _ClassVar[int]
    CHORDS_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    SOUNDS_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    STEPS_PER_QUARTER_FIELD_NUMBER: _ClassVar[int]
    model: str
    latents: _containers.RepeatedCompositeFieldContainer[Latent]
    seed: int
    temperature: float
    top_p: float
    qpm: float
    clip_format: ClipFormat
    chords: str
    key: str
    scale: str
    range: str
    sounds: _containers.MessageMap[str, Sound]
    meter: str
    steps_per_quarter: int
    def __init__(self, model: _Optional[str] = ..., latents: _Optional[_Iterable[_Union[Latent, _Mapping]]] = ..., seed: _Optional[int] = ..., temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., qpm: _Optional[float] = ..., clip_format: _Optional[_Union[ClipFormat, str]] = ..., chords: _Optional[str] = ..., key: _Optional[str] = ..., scale: _Optional[str] = ..., range: _Optional[str] = ..., sounds: _Optional[_Mapping[str, Sound]] = ..., meter: _Optional[str] = ..., steps_per_quarter: _Optional[int] = ...) -> None: ...

class DecodeResponse(_message.Message):
    __slots__ = ("clip",)
    CLIP_FIELD_NUMBER: _ClassVar[int]
    clip: Clip
    def __init__(self, clip: _Optional[_Union[Clip, _Mapping]] = ...) -> None: ...

class GrooveRequest(_message.Message):
    __slots__ = ("model", "task", "point", "onto", "seed", "temperature", "top_p", "qpm", "clip_format")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    ONTO_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    QPM_FIELD_NUMBER: _ClassVar[int]
    CLIP_FORMAT_FIELD_NUMBER: _ClassVar[int]
    model: str
    task: GrooveTask
    point: Point
    onto: Excerpt
    seed: int
    temperature: float
    top_p: float
    qpm: float
    clip_format: ClipFormat
    def __init__(self, model: _Optional[str] = ..., task: _Optional[_Union[GrooveTask, str]] = ..., point: _Optional[_Union[Point, _Mapping]] = ..., onto: _Optional[_Union[Excerpt, _Mapping]] = ..., seed: _Optional[int] = ..., temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., qpm: _Optional[float] = ..., clip_format: _Optional[_Union[ClipFormat, str]] = ...) -> None: ...

class GrooveResponse(_message.Message):
    __slots__ = ("before", "after")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    before: Clip
    after: Clip
    def __init__(self, before: _Optional[_Union[Clip, _Mapping]] = ..., after: _Optional[_Union[Clip, _Mapping]] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: str
    def __init__(self, model: _Optional[str] = ...) -> None: ...

class GetModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class GetServerRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerResponse(_message.Message):
    __slots__ = ("server",)
    SERVER_FIELD_NUMBER: _ClassVar[int]
    server: Server
    def __init__(self, server: _Optional[_Union[Server, _Mapping]] = ...) -> None: ...

class Server(_message.Message):
    __slots__ = ("version", "uptime_s", "needs_token", "request_limits", "call_limits", "models")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UPTIME_S_FIELD_NUMBER: _ClassVar[int]
    NEEDS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_LIMITS_FIELD_NUMBER: _ClassVar[int]
    CALL_LIMITS_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    version: str
    uptime_s: float
    needs_token: bool
    request_limits: RequestLimits
    call_limits: CallLimits
    models: _containers.RepeatedCompositeFieldContainer[Model]
    def __init__(self, version: _Optional[str] = ..., uptime_s: _Optional[float] = ..., needs_token: _Optional[bool] = ..., request_limits: _Optional[_Union[RequestLimits, _Mapping]] = ..., call_limits: _Optional[_Union[CallLimits, _Mapping]] = ..., models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ...) -> None: ...

class RequestLimits(_message.Message):
    __slots__ = ("max_steps", "max_count", "max_points", "max_path_count", "max_latents", "max_amounts", "max_notes", "max_path_notes", "max_midi_bytes", "max_midi_tracks", "max_length_quarters")
    MAX_STEPS_FIELD_NUMBER: _ClassVar[int]
    MAX_COUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    MAX_PATH_COUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_LATENTS_FIELD_NUMBER: _ClassVar[int]
    MAX_AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    MAX_NOTES_FIELD_NUMBER: _ClassVar[int]
    MAX_PATH_NOTES_FIELD_NUMBER: _ClassVar[int]
    MAX_MIDI_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_MIDI_TRACKS_FIELD_NUMBER: _ClassVar[int]
    MAX_LENGTH_QUARTERS_FIELD_NUMBER: _ClassVar[int]
    max_steps: int
    max_count: int
    max_points: int
    max_path_count: int
    max_latents: int
    max_amounts: int
    max_notes: int
    max_path_notes: int
    max_midi_bytes: int
    max_midi_tracks: int
    max_length_quarters: int
    def __init__(self, max_steps: _Optional[int] = ..., max_count: _Optional[int] = ..., max_points: _Optional[int] = ..., max_path_count: _Optional[int] = ..., max_latents: _Optional[int] = ..., max_amounts: _Optional[int] = ..., max_notes: _Optional[int] = ..., max_path_notes: _Optional[int] = ..., max_midi_bytes: _Optional[int] = ..., max_midi_tracks: _Optional[int] = ..., max_length_quarters: _Optional[int] = ...) -> None: ...

class CallLimits(_message.Message):
    __slots__ = ("max_message_bytes", "max_wait_s", "max_rpcs", "max_call_s", "max_body_s", "max_unread_s")
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_WAIT_S_FIELD_NUMBER: _ClassVar[int]
    MAX_RPCS_FIELD_NUMBER: _ClassVar[int]
    MAX_CALL_S_FIELD_NUMBER: _ClassVar[int]
    MAX_BODY_S_FIELD_NUMBER: _ClassVar[int]
    MAX_UNREAD_S_FIELD_NUMBER: _ClassVar[int]
    max_message_bytes: int
    max_wait_s: float
    max_rpcs: int
    max_call_s: float
    max_body_s: float
    max_unread_s: float
    def __init__(self, max_message_bytes: _Optional[int] = ..., max_wait_s: _Optional[float] = ..., max_rpcs: _Optional[int] = ..., max_call_s: _Optional[float] = ..., max_body_s: _Optional[float] = ..., max_unread_s: _Optional[float] = ...) -> None: ...

class Excerpt(_message.Message):
    __slots__ = ("midi", "notes", "start_bar", "reduce", "meter", "steps_per_quarter")
    MIDI_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    START_BAR_FIELD_NUMBER: _ClassVar[int]
    REDUCE_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    STEPS_PER_QUARTER_FIELD_NUMBER: _ClassVar[int]
    midi: bytes
    notes: NoteSequence
    start_bar: int
    reduce: bool
    meter: str
    steps_per_quarter: int
    def __init__(self, midi: _Optional[bytes] = ..., notes: _Optional[_Union[NoteSequence, _Mapping]] = ..., start_bar: _Optional[int] = ..., reduce: _Optional[bool] = ..., meter: _Optional[str] = ..., steps_per_quarter: _Optional[int] = ...) -> None: ...

class Point(_message.Message):
    __slots__ = ("excerpt", "latent")
    EXCERPT_FIELD_NUMBER: _ClassVar[int]
    LATENT_FIELD_NUMBER: _ClassVar[int]
    excerpt: Excerpt
    latent: Latent
    def __init__(self, excerpt: _Optional[_Union[Excerpt, _Mapping]] = ..., latent: _Optional[_Union[Latent, _Mapping]] = ...) -> None: ...

class Latent(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, values: _Optional[_Iterable[float]] = ...) -> None: ...

class Clip(_message.Message):
    __slots__ = ("midi", "notes", "latent", "seed", "index", "temperature", "top_p", "model", "model_version", "attributes", "chords", "key", "asked", "constraint_nats", "sounds", "style")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class AskedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class SoundsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Sound
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Sound, _Mapping]] = ...) -> None: ...
    MIDI_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    LATENT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CHORDS_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINT_NATS_FIELD_NUMBER: _ClassVar[int]
    SOUNDS_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    midi: bytes
    notes: NoteSequence
    latent: Latent
    seed: int
    index: int
    temperature: float
    top_p: float
    model: str
    model_version: str
    attributes: _containers.ScalarMap[str, float]
    chords: str
    key: Key
    asked: _containers.ScalarMap[str, str]
    constraint_nats: float
    sounds: _containers.MessageMap[str, Sound]
    style: str
    def __init__(self, midi: _Optional[bytes] = ..., notes: _Optional[_Union[NoteSequence, _Mapping]] = ..., latent: _Optional[_Union[Latent, _Mapping]] = ..., seed: _Optional[int] = ..., index: _Optional[int] = ..., temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., model: _Optional[str] = ..., model_version: _Optional[str] = ..., attributes: _Optional[_Mapping[str, float]] = ..., chords: _Optional[str] = ..., key: _Optional[_Union[Key, _Mapping]] = ..., asked: _Optional[_Mapping[str, str]] = ..., constraint_nats: _Optional[float] = ..., sounds: _Optional[_Mapping[str, Sound]] = ..., style: _Optional[str] = ...) -> None: ...

class Sound(_message.Message):
    __slots__ = ("program", "velocity")
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    VELOCITY_FIELD_NUMBER: _ClassVar[int]
    program: int
    velocity: int
    def __init__(self, program: _Optional[int] = ..., velocity: _Optional[int] = ...) -> None: ...

class NoteSequence(_message.Message):
    __slots__ = ("notes", "length_steps", "qpm", "meter", "key", "chords", "bar_changes", "steps_per_quarter")
    NOTES_FIELD_NUMBER: _ClassVar[int]
    LENGTH_STEPS_FIELD_NUMBER: _ClassVar[int]
    QPM_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    CHORDS_FIELD_NUMBER: _ClassVar[int]
    BAR_CHANGES_FIELD_NUMBER: _ClassVar[int]
    STEPS_PER_QUARTER_FIELD_NUMBER: _ClassVar[int]
    notes: _containers.RepeatedCompositeFieldContainer[Note]
    length_steps: int
    qpm: float
    meter: Meter
    key: Key
    chords: _containers.RepeatedCompositeFieldContainer[Chord]
    bar_changes: _containers.RepeatedCompositeFieldContainer[BarChange]
    steps_per_quarter: int
    def __init__(self, notes: _Optional[_Iterable[_Union[Note, _Mapping]]] = ..., length_steps: _Optional[int] = ..., qpm: _Optional[float] = ..., meter: _Optional[_Union[Meter, _Mapping]] = ..., key: _Optional[_Union[Key, _Mapping]] = ..., chords: _Optional[_Iterable[_Union[Chord, _Mapping]]] = ..., bar_changes: _Optional[_Iterable[_Union[BarChange, _Mapping]]] = ..., steps_per_quarter: _Optional[int] = ...) -> None: ...

class BarChange(_message.Message):
    __slots__ = ("start_step", "meter")
    START_STEP_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    start_step: int
    meter: Meter
    def __init__(self, start_step: _Optional[int] = ..., meter: _Optional[_Union[Meter, _Mapping]] = ...) -> None: ...

class Chord(_message.Message):
    __slots__ = ("start_step", "symbol")
    START_STEP_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    start_step: int
    symbol: str
    def __init__(self, start_step: _Optional[int] = ..., symbol: _Optional[str] = ...) -> None: ...

class Note(_message.Message):
    __slots__ = ("start_step", "end_step", "pitch", "velocity", "program", "is_drum", "offset")
    START_STEP_FIELD_NUMBER: _ClassVar[int]
    END_STEP_FIELD_NUMBER: _ClassVar[int]
    PITCH_FIELD_NUMBER: _ClassVar[int]
    VELOCITY_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    IS_DRUM_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    start_step: int
    end_step: int
    pitch: int
    velocity: int
    program: int
    is_drum: bool
    offset: float
    def __init__(self, start_step: _Optional[int] = ..., end_step: _Optional[int] = ..., pitch: _Optional[int] = ..., velocity: _Optional[int] = ..., program: _Optional[int] = ..., is_drum: _Optional[bool] = ..., offset: _Optional[float] = ...) -> None: ...

class Meter(_message.Message):
    __slots__ = ("numerator", "denominator")
    NUMERATOR_FIELD_NUMBER: _ClassVar[int]
    DENOMINATOR_FIELD_NUMBER: _ClassVar[int]
    numerator: int
    denominator: int
    def __init__(self, numerator: _Optional[int] = ..., denominator: _Optional[int] = ...) -> None: ...

class TimeGrid(_message.Message):
    __slots__ = ("meter", "steps_per_quarter")
    METER_FIELD_NUMBER: _ClassVar[int]
    STEPS_PER_QUARTER_FIELD_NUMBER: _ClassVar[int]
    meter: Meter
    steps_per_quarter: int
    def __init__(self, meter: _Optional[_Union[Meter, _Mapping]] = ..., steps_per_quarter: _Optional[int] = ...) -> None: ...

class Key(_message.Message):
    __slots__ = ("tonic", "is_minor")
    TONIC_FIELD_NUMBER: _ClassVar[int]
    IS_MINOR_FIELD_NUMBER: _ClassVar[int]
    tonic: int
    is_minor: bool
    def __init__(self, tonic: _Optional[int] = ..., is_minor: _Optional[bool] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "version", "representation", "bars", "meter", "length_steps", "latent_size", "attributes", "card", "needs_chords", "size_bytes", "figures", "sources", "styles", "licence", "meters", "grids", "takes_chords")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REPRESENTATION_FIELD_NUMBER: _ClassVar[int]
    BARS_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    LENGTH_STEPS_FIELD_NUMBER: _ClassVar[int]
    LATENT_SIZE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CARD_FIELD_NUMBER: _ClassVar[int]
    NEEDS_CHORDS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    STYLES_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    METERS_FIELD_NUMBER: _ClassVar[int]
    GRIDS_FIELD_NUMBER: _ClassVar[int]
    TAKES_CHORDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    representation: str
    bars: int
    meter: Meter
    length_steps: int
    latent_size: int
    attributes: _containers.RepeatedCompositeFieldContainer[Attribute]
    card: str
    needs_chords: bool
    size_bytes: int
    figures: _containers.RepeatedCompositeFieldContainer[Figure]
    sources: _containers.RepeatedCompositeFieldContainer[Source]
    styles: _containers.RepeatedScalarFieldContainer[str]
    licence: str
    meters: _containers.RepeatedCompositeFieldContainer[Meter]
    grids: _containers.RepeatedCompositeFieldContainer[TimeGrid]
    takes_chords: bool
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., representation: _Optional[str] = ..., bars: _Optional[int] = ..., meter: _Optional[_Union[Meter, _Mapping]] = ..., length_steps: _Optional[int] = ..., latent_size: _Optional[int] = ..., attributes: _Optional[_Iterable[_Union[Attribute, _Mapping]]] = ..., card: _Optional[str] = ..., needs_chords: _Optional[bool] = ..., size_bytes: _Optional[int] = ..., figures: _Optional[_Iterable[_Union[Figure, _Mapping]]] = ..., sources: _Optional[_Iterable[_Union[Source, _Mapping]]] = ..., styles: _Optional[_Iterable[str]] = ..., licence: _Optional[str] = ..., meters: _Optional[_Iterable[_Union[Meter, _Mapping]]] = ..., grids: _Optional[_Iterable[_Union[TimeGrid, _Mapping]]] = ..., takes_chords: _Optional[bool] = ...) -> None: ...

class Figure(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("name", "licence")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    licence: str
    def __init__(self, name: _Optional[str] = ..., licence: _Optional[str] = ...) -> None: ...

class Attribute(_message.Message):
    __slots__ = ("name", "unit", "description")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    unit: str
    description: str
    def __init__(self, name: _Optional[str] = ..., unit: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

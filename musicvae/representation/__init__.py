"""Two-way maps between an excerpt of music and a tensor of events."""

from musicvae.representation.chords import Chords
from musicvae.representation.drum_hits import DrumHits
from musicvae.representation.drums import Drums
from musicvae.representation.groove import Groove
from musicvae.representation.kind import Kind
from musicvae.representation.lead_sheet import LeadSheet
from musicvae.representation.melody import Melody
from musicvae.representation.registry import (
    REPRESENTATIONS,
    describe_config,
    representation_from_config,
)
from musicvae.representation.representation import Representation
from musicvae.representation.trio import Trio

__all__ = [
    "REPRESENTATIONS",
    "Chords",
    "DrumHits",
    "Drums",
    "Groove",
    "Kind",
    "LeadSheet",
    "Melody",
    "Representation",
    "Trio",
    "describe_config",
    "representation_from_config",
]

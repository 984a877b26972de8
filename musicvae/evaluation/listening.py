"""Pairs of clips for a blind listening test: real music beside a draw from the prior.

Both clips of a pair have the same tempo, the same instruments and the same conditions, such as
chords: only the music tells them apart.
"""

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from musicvae.evaluation.examples import Example, as_given, spread_rows
from musicvae.evaluation.prior_samples import draw_new, with_drawn_chords
from musicvae.evaluation.subject import Data, Subject
from musicvae.temperature import SAMPLE_TEMPERATURE

PAIRS = 10


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A real excerpt and a draw.

    Attributes:
        real: The held-out excerpt.
        draw: The draw, under the conditions of the excerpt.
        is_draw_first: Whether the listener hears the draw as clip A.
    """

    real: Example
    draw: Example
    is_draw_first: bool

    @property
    def clips(self) -> tuple[Example, Example]:
        """Clip A and clip B."""
        return (self.draw, self.real) if self.is_draw_first else (self.real, self.draw)


def make_pairs(subject: Subject, data: Data, *, seed: int) -> tuple[Pair, ...]:
    """Makes the pairs, of different pieces as far as there are; fewer from a very small split.

    The seed chooses the excerpts; the seed and the model choose the draws and the order in each
    pair, so that a listener can't know the order from another model's test. The draws are not the
    draws of the same seed on the evaluation's page, which the listener may have heard.
    """
    rows = spread_rows(data.held_out.pieces, seed)[:PAIRS]
    model = crc32(f"{subject.name} {subject.version}".encode())
    random = np.random.default_rng([seed, model])
    like, own = data.held_out.events[rows], int(random.integers(2**32))
    like = with_drawn_chords(subject.prior, subject.representation, like, seed=own)
    drawn = draw_new(subject.model, subject.prior, subject.representation, like, seed=own)
    return tuple(
        Pair(
            real=real,
            draw=Example(
                title=subject.name,
                facts=f"a draw at temperature {SAMPLE_TEMPERATURE:g}",
                qpm=real.qpm,
                notes=subject.representation.to_notes(events),
            ),
            is_draw_first=is_first,
        )
        for real, events, is_first in zip(
            as_given(subject, data, rows),
            drawn,
            (random.random(len(rows)) < 0.5).tolist(),
            strict=True,
        )
    )

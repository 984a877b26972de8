"""Four sets of excerpts side by side: real music, its way through the model, and new music.

Conventions: `HELD_OUT` is music that the model has not seen. `POSTERIOR_DRAWS` are decoded from a
draw of the posterior of each of these excerpts, `POSTERIOR_MEANS` from its mean; `PRIOR_DRAWS` are
new music. All are played at the default temperature of the commands that make music. A measure that
differs between the first set and the second is lost by encoder and decoder; a measure that differs
between the first set and the last is lost by the prior.
"""

import numpy as np
import torch
from jaxtyping import Float, Int16
from torch import Tensor

from musicvae.evaluation.decoding import canonical, encode, play
from musicvae.evaluation.listener.measures import measure
from musicvae.evaluation.prior_samples import HELD_OUT
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.model.latent.latent import draw
from musicvae.model.vae import MusicVAE
from musicvae.representation import Representation
from musicvae.temperature import SAMPLE_TEMPERATURE

POSTERIOR_DRAWS, POSTERIOR_MEANS = "posterior draws", "posterior means"
PRIOR_DRAWS = "prior draws"
SETS = (HELD_OUT, POSTERIOR_DRAWS, POSTERIOR_MEANS, PRIOR_DRAWS)


def compare_sets(
    model: MusicVAE,
    representation: Representation,
    held_out: Int16[np.ndarray, "_held_out step stream"],
    prior_draws: Int16[np.ndarray, "_draws step stream"],
    *,
    seed: int,
    watch: Watch = unwatched,
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Takes the measures of the four sets, by the names of line, measure and set."""

    def decode(
        z: Float[Tensor, "batch latent"], name: str
    ) -> Int16[np.ndarray, "batch step stream"]:
        played = play(
            model,
            representation,
            z,
            held_out,
            temperature=SAMPLE_TEMPERATURE,
            seed=seed,
            title=f"playing {name}",
            watch=watch,
        )
        return canonical(representation, played)

    posterior = encode(model, representation, held_out, title="encoding", watch=watch)
    drawn = draw(posterior, torch.Generator().manual_seed(seed))
    sets = (
        held_out,
        decode(drawn, POSTERIOR_DRAWS),
        decode(posterior.mean, POSTERIOR_MEANS),
        prior_draws,
    )
    measured = [measure(representation, each) for each in sets]
    return {
        line: {
            name: {set_: each[line][name] for set_, each in zip(SETS, measured, strict=True)}
            for name in by_measure
        }
        for line, by_measure in measured[0].items()
    }

"""How a clip is asked for again, from what `Clip.provenance` says of it."""

from __future__ import annotations

from collections.abc import Mapping

from musicvae.errors import SettingError
from musicvae.generation.inputs import Excerpt
from musicvae.generation.replies import GIVEN, GROOVED, SAMPLED, latent_from_text
from musicvae.generation.requests import TRANSFER, DecodeRequest, GrooveRequest, SampleRequest
from musicvae.representation.hits import hits_from_text


def request_again(
    provenance: Mapping[str, object],
) -> SampleRequest | DecodeRequest | GrooveRequest:
    """The request that makes a clip again, from what `Clip.provenance` says of it.

    The clip is the one of the answer, or what comes `after` of a `GrooveRequest`.

    Raises:
        SettingError: If something is missing or is of another kind, or no model made the music.
        MusicVAEError: If a field is out of range.
    """
    made = {name: str(value) for name, value in provenance.items()}
    try:
        if made["method"] == GIVEN:
            raise SettingError(
                "music that was given to a model",
                expected="a clip that a model made",
                action="Use the music as it is.",
                field="provenance",
            )
        model, seed, qpm = made["model"], int(made["seed"]), float(made["qpm"])
        temperature, top_p = float(made["temperature"]), float(made["top_p"])
        if made["method"] == SAMPLED:
            return SampleRequest(
                model=model,
                first_index=int(made["index"]),
                seed=seed,
                temperature=temperature,
                top_p=top_p,
                qpm=qpm,
                chords=made.get("chords"),
            )
        latent = latent_from_text(made["latent"])
        if made["method"] == GROOVED:
            return GrooveRequest(
                model=model,
                task=TRANSFER,
                point=latent,
                onto=Excerpt(notes=hits_from_text(made["hits"])),
                seed=seed,
                temperature=temperature,
                top_p=top_p,
                qpm=qpm,
            )
        return DecodeRequest(
            model=model,
            latents=[latent],
            seed=seed,
            temperature=temperature,
            top_p=top_p,
            qpm=qpm,
            chords=made.get("chords"),
        )
    except (KeyError, ValueError) as error:
        raise SettingError(
            f"a provenance whose {error} is missing or no number",
            expected="what the text event of a clip says",
            action="Use a MIDI file that this program made.",
            field="provenance",
        ) from error

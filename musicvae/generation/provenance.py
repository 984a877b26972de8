"""Makes the request for a clip from its provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from musicvae.errors import SettingError
from musicvae.generation.inputs import Excerpt
from musicvae.generation.replies import GIVEN, GROOVED, SAMPLED, latent_from_text
from musicvae.generation.requests import TRANSFER, DecodeRequest, GrooveRequest, SampleRequest
from musicvae.generation.sounds import Sound
from musicvae.representation.hits import hits_from_text


def request_again(
    provenance: Mapping[str, object],
) -> SampleRequest | DecodeRequest | GrooveRequest:
    """The request that makes a clip again, from its `Clip.provenance`.

    The answer is the clip; the answer to a `GrooveRequest` has it as `after`.

    Raises:
        SettingError: If a field is missing or has the wrong type, or no model made the music.
        MusicVAEError: If a field is out of range.
    """
    recipe = {name: str(value) for name, value in provenance.items()}
    try:
        if recipe["method"] == GIVEN:
            raise SettingError(
                "music that was given to a model",
                expected="a clip that a model made",
                action="Use the music as it is.",
                field="provenance",
            )
        model, seed, qpm = recipe["model"], int(recipe["seed"]), float(recipe["qpm"])
        temperature, top_p = float(recipe["temperature"]), float(recipe["top_p"])
        told: dict[str, Any] = {
            name: recipe.get(name) for name in ("chords", "key", "scale", "range", "meter")
        }
        if "steps_per_quarter" in recipe:
            told["steps_per_quarter"] = int(recipe["steps_per_quarter"])
        if recipe["method"] == SAMPLED:
            return SampleRequest(
                model=model,
                first_index=int(recipe["index"]),
                seed=seed,
                temperature=temperature,
                top_p=top_p,
                qpm=qpm,
                style=recipe.get("style"),
                **told,
            )
        latent = latent_from_text(recipe["latent"])
        if recipe["method"] == GROOVED:
            return GrooveRequest(
                model=model,
                task=TRANSFER,
                point=latent,
                onto=Excerpt(notes=hits_from_text(recipe["hits"])),
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
            **told,
            sounds=_read_sounds(provenance.get("sounds", {})),
        )
    except (KeyError, ValueError) as error:
        raise SettingError(
            f"a provenance whose {error} is missing or no number",
            expected="what the text event of a clip says",
            action="Use a MIDI file that this program made.",
            field="provenance",
        ) from error


def _read_sounds(sounds: Any) -> dict[str, Sound]:
    try:
        return {
            str(line): Sound(program=int(sound["program"]), velocity=int(sound["velocity"]))
            for line, sound in sounds.items()
        }
    except (AttributeError, TypeError) as error:
        raise ValueError("sounds") from error

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.errors import LatentError
from musicvae.generation.replies import latent_from_text, latent_to_text

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(FLOATS).map(tuple))
def test_latent_survives_as_text(latent):
    assert latent_from_text(latent_to_text(latent)) == latent


@pytest.mark.parametrize(
    "text",
    ["?", "AAA", "AAAA", base64.b64encode(struct.pack("<f", float("nan"))).decode(), "ä"],
)
def test_text_that_is_no_latent_is_refused(text):
    with pytest.raises(LatentError, match="expected a latent as base64"):
        latent_from_text(text)

import numpy as np
import pytest

from musicvae.bundle.attribute_vectors import fit_vectors
from musicvae.errors import AttributeNameError, LatentError


def fit(latents, values):
    value = np.array(values, dtype=np.float64)
    return fit_vectors(np.array(latents, np.float32), {"note_density": value})[
        "note_density"
    ].tolist()


def test_a_vector_is_the_mean_of_the_upper_minus_the_lower_quartile():
    latents = [[float(i), -float(i)] for i in range(8)]
    # Quartiles of 0..7 lie at 1.75 and 5.25: 0 and 1 below, 6 and 7 above.
    assert fit(latents, range(8)) == [6.0, -6.0]
    assert fit(latents[::-1], range(7, -1, -1)) == [6.0, -6.0]


def test_a_vector_points_where_the_attribute_grows():
    random = np.random.default_rng(0)
    latents = random.standard_normal((4000, 16), np.float32)
    value = latents[:, 3] + 0.1 * random.standard_normal(4000)
    vector = fit_vectors(latents, {"note_density": value})["note_density"]
    assert vector.argmax() == 3
    assert vector.dtype == latents.dtype
    # The mean of the upper quarter of a standard Gaussian is 1.271.
    assert vector[3] == pytest.approx(2 * 1.271, abs=0.1)
    assert np.abs(vector[np.arange(16) != 3]).max() < 0.15


def test_a_constant_attribute_has_no_direction():
    assert fit([[1.0], [2.0], [3.0]], [0.5, 0.5, 0.5]) == [0.0]
    assert fit([[1.0]], [0.5]) == [0.0]


def test_examples_that_measure_alike_are_not_divided():
    # Most melodies have no syncopation at all: both boundaries are 0.
    latents = [[float(i)] for i in range(10)]
    assert fit(latents, [0] * 8 + [0.5, 0.5]) == [8.5 - 3.5]
    assert fit(latents, [0, 0] + [1] * 8) == [5.5 - 0.5]
    assert fit(latents, [0] + [1] * 8 + [2]) == [9.0 - 0.0]
    shuffled = [[float(i)] for i in (8, 3, 9, 1, 0, 2, 4, 5, 6, 7)]
    assert fit(shuffled, [0.5, 0, 0.5, 0, 0, 0, 0, 0, 0, 0]) == [8.5 - 3.5]


@pytest.mark.parametrize(
    ("latents", "values"),
    [([[0.0], [float("nan")]], [0, 1]), ([[0.0], [1.0]], [0, float("inf")])],
)
def test_what_is_not_finite_has_no_vectors(latents, values):
    with pytest.raises(LatentError, match="not finite"):
        fit(latents, values)


def test_vectors_of_unknown_attributes_are_refused():
    with pytest.raises(AttributeNameError, match="swing"):
        fit_vectors(np.zeros((2, 2)), {"swing": np.zeros(2)})

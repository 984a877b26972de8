import re

from musicvae.report.matrix import Matrix, draw_matrix

MATRIX = Matrix(
    title="Vector added",
    about="In %.",
    names=("note density", "c <diatonic>"),
    cells=((50.4, -200.0), (-0.3, None)),
)


def test_cells_are_coloured_by_their_change():
    svg = str(draw_matrix(MATRIX, "a"))
    cells = re.findall(r'<rect class="(\w+)".*?fill-opacity="([\d.]+)"', svg)
    kinds = [kind for kind, _ in cells]
    shades = [float(shade) for _, shade in cells]
    assert kinds == ["more", "less", "less", "more"]
    assert shades[1] > shades[0] > shades[2] >= shades[3] == 0


def test_cells_have_their_numbers():
    svg = str(draw_matrix(MATRIX, "a"))
    assert re.findall(r'class="cell".*?>(.*?)<', svg) == ["+50", "-200", "+0", "none"]
    assert MATRIX.rows == (("note density", ("+50", "-200")), ("c <diatonic>", ("+0", "none")))


def test_names_are_text():
    svg = str(draw_matrix(MATRIX, "a"))
    assert "c &lt;diatonic&gt;" in svg
    assert "<diatonic>" not in svg

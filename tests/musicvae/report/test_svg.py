import re

from musicvae.report.svg import draw_svg, mark

TEXT = "$x_1$ & <b>"


def draw(figure):
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    (line,) = axes.plot([0.0, 1.0], [0.0, 1.0], clip_on=False)
    mark(line, "steps steps-0", TEXT)
    axes.text(0.5, 0.5, TEXT, ha="center")


def test_a_page_gives_shapes_their_look():
    svg = draw_svg((360.0, 220.0), TEXT, draw)
    assert not re.search(r"style|fill|id=|href|clip-path|<!|<defs", svg)
    assert '<g class="steps steps-0"><title>$x_1$ &amp; &lt;b&gt;</title><path d="M' in svg


def test_texts_are_text():
    svg = draw_svg((360.0, 220.0), TEXT, draw)
    assert svg.startswith('<svg viewBox="0 0 360 220" role="img"><title>$x_1$ &amp; &lt;b&gt;<')
    assert 'text-anchor="middle">$x_1$ &amp; &lt;b&gt;</text>' in svg


def test_equal_figures_are_equal_texts():
    assert draw_svg((360.0, 220.0), "a", draw) == draw_svg((360.0, 220.0), "a", draw)

from musicvae.report import charts


def test_a_chart_shows_shares_of_each_series():
    chart = charts.Chart(
        title="Pitch <b>",
        about="Notes.",
        bins=("a", "b", "c"),
        series=(
            charts.Series(name="train", counts=(1.0, 3.0, 0.0)),
            charts.Series(name="test", counts=(0.0, 0.0, 0.0)),
        ),
    )
    assert chart.rows == (("a", ("25.0 %", "0.0 %")), ("b", ("75.0 %", "0.0 %")))
    svg = charts.to_svg(chart, "x")
    assert "train: most often b, 75 %" in svg
    assert "<b>" not in svg and "80 %" in svg


def test_a_bar_is_as_long_as_its_share():
    assert 'width="25.00"' in charts.share_bar(0.25)
    assert 'width="0.60"' in charts.share_bar(0.0)  # still to be seen

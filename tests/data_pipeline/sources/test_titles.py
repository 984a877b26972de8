import pytest

from musicvae.data_pipeline.sources.titles import normalise_title


@pytest.mark.parametrize(
    "title", ["", "Reel", "The Jig", "007", "Polka 12", "Polka No. 12", "***", "The", "_"]
)
def test_a_kind_of_dance_or_a_number_is_no_title(title):
    assert normalise_title(title) == ""


@pytest.mark.parametrize(
    "titles",
    [
        (
            "WindThatShakestheBarleyreelThe",
            "The Wind That Shakes The Barley -- Reel",
            "Wind That Shakes the Barley, The",
            "Wind_That_Shakes_the_Barley",
        ),
        ("Acacia -- Reel", "The Acacia", "ACACIA.", "AcaciaReelThe", "Acaciareel"),
        ("Paddy O'Rafferty", "Paddy ORafferty", "Paddy O\u2019Rafferty"),
        ("The Lads of the Village.", "Lads Of Village"),
        ("BashfulBachelor1hornpipe", "BashfulBachelor2hornpipe", "The Bashful Bachelor"),
        ("Éilís", "Eilis"),
    ],
)
def test_titles_of_one_tune_are_brought_together(titles):
    assert len({normalise_title(title) for title in titles}) == 1
    assert normalise_title(titles[0])


@pytest.mark.parametrize(
    ("title", "normalised"),
    [
        ("The Fair Maid's Father", "fairmaidsfather"),
        ("FairWindreelThe", "fairwind"),
        ("Upstairs with You", "upstairswithyou"),
        ("The Marching Song", "marchingsong"),
        ("Breathe", "breathe"),
        ("Lathe Hands", "lathehands"),
    ],
)
def test_no_word_is_cut(title, normalised):
    assert normalise_title(title) == normalised


@pytest.mark.parametrize(
    ("title", "normalised"),
    [
        ("Sonata No. 5", "sonatano5"),
        ("Sonata_Op_27_No_2", "sonataop27no2"),
        ("Symphony no 40, K. 550", "symphonyno40k550"),
        ("BWV846", "bwv846"),
        ("bwv 846", "bwv846"),
        ("OP27NO2", "op27no2"),
        ("Maggie 2", "maggie"),
        ("Nanook 2", "nanook"),
    ],
)
def test_the_number_of_a_work_is_kept(title, normalised):
    assert normalise_title(title) == normalised

from musicvae.data_pipeline.rejections import Rejection, merge_rejections


def test_equal_reasons_add_up_and_keep_what_was_found_first():
    merged = merge_rejections(
        [
            Rejection("excerpt", "silent", "no notes"),
            Rejection("part", "bass", "'b', around pitch 38"),
            Rejection("excerpt", "silent", "none at all", 3),
            Rejection("part", "silent", "no notes"),
        ]
    )
    assert merged == (
        Rejection("excerpt", "silent", "no notes", 4),
        Rejection("part", "bass", "'b', around pitch 38"),
        Rejection("part", "silent", "no notes"),
    )

"""Music as values: notes, chords, progressions, hits, and measures of them."""

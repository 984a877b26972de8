"""Lines, one note at a time, such as melodies and basses: their parts, lanes, scores and rules."""

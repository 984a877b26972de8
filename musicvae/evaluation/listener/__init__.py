"""The measures of music that a listener hears first, for real music and a model's music alike."""

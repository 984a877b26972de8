"""A latent space of music."""

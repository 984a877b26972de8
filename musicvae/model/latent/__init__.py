"""What a latent is: its moves, and the priors that it is drawn from."""

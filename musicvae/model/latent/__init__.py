"""The latent as a part of the model: its kinds, with posteriors, priors and moves."""

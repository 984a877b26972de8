"""The variational autoencoder in torch: events to a latent, a latent to events."""

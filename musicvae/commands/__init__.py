"""The subcommands of `musicvae`, by what they are for."""

"""The subcommands of `musicvae`, by purpose."""

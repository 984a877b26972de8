"""The bundles that ship with the package: folders of data, which `musicvae.bundle` reads."""

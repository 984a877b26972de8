"""Where pieces come from: files, folders, archives, corpora by name."""

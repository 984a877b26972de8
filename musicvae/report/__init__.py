"""Pages to look at and to listen to: one file each, that asks no network for anything."""

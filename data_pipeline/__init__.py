"""From music files to shards of event tensors."""

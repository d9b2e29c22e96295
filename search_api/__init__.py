"""The HTTP service: a thin face over `indexer.index`."""

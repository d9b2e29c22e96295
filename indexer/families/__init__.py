"""Families: sets of fakes that came from the same hand, and stay the same families."""

"""Samples with one planted gene fusion each, and the comparison of what was called with what was planted."""

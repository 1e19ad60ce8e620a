"""Figures: a frame in, a Panel out. One figure per file."""

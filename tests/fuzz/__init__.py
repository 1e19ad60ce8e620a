"""Mutated inputs for every reader: whatever comes in, a reader reads it or refuses it in words."""

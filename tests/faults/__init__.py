"""Faults on purpose: a killed process, a full disk, a server that restarts, two writers at once."""

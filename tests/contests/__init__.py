"""Contests: how the models do on simulated practices that are not of their own form."""

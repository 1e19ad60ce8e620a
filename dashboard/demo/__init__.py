"""A seeded, believable practice that nobody is in."""

"""Pure functions on frames, one question per module: no database, no page, no clock, no settings read."""

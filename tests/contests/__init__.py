"""Models against simpler rivals on invented practices whose truth is known."""

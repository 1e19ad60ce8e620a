"""Models against simpler rivals on invented practices whose truth is known and is not of the models' own form."""

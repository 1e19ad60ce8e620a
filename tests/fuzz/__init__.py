"""Mutated inputs for every reader: none may end in a traceback, hang, or take more memory than a machine has."""

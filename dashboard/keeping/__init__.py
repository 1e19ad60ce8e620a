"""Keeping a practice's data: keys, copies, restoring, erasing."""

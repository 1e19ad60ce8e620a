"""Removes each check of the program, one at a time, in a copy of the tree, and says which test notices."""

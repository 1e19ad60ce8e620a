"""What people enter by hand: a form's values as the rows of a file, so that the same checks read both. Pure."""

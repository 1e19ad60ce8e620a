"""Whether a package that we pin has a known vulnerability."""

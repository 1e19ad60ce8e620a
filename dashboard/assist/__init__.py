"""The import assistant's proposals: what a file seems to hold, and the mapping that follows. Pure; a person decides."""

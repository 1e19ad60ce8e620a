"""The web's side of the program: which address is open to whom, headers, limits, our own routes."""

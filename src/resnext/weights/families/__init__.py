"""How the libraries of the world name the tensors of these networks, a table a library."""

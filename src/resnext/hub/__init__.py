"""Publishing: networks as folders and repositories that explain themselves."""

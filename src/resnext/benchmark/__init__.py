"""Networks timed side by side on every runtime of this machine."""

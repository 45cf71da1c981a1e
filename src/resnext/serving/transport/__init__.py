"""Below the application: connections, and their limits before a request is complete."""

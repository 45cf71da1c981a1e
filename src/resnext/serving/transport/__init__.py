"""Below the application: connections, and what a caller may do before a request is complete."""

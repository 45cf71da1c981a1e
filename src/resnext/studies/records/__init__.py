"""What a study and its trials leave on disk, and reading it back."""

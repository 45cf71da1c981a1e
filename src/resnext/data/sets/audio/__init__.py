"""Data sets of audio files: `decode` reads all files, `load` makes splits of equal length."""

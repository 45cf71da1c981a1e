"""Weight files of other libraries: a catalogue, their formats, and their conversion."""

"""Weight files of the world: a catalogue of them, their formats, and how they become ours."""

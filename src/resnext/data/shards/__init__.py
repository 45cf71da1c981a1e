"""Packed data sets: many images in few tar files, read at random places."""

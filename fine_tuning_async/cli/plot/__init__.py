"""Curves of trainings: in the terminal, as pictures, as a page."""

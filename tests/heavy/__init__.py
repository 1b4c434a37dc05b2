"""Runs that are too long for every commit: each prints what it counted, and fails on a broken promise."""

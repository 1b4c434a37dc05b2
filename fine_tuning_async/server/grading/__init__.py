"""Graders, from their JSON to a score."""

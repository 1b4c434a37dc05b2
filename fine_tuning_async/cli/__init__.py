"""The `fine-tuning` command; what belongs to one of its commands is imported when that command runs."""

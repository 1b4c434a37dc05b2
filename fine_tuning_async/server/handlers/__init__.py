"""Answers to the API's operations, a module per noun."""

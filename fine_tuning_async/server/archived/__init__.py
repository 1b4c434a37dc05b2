"""An archive of an account, served read-only through the API."""

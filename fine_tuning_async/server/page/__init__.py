"""The page that shows the server in a browser."""

"""The `demo` command: the whole life of four jobs, offline."""

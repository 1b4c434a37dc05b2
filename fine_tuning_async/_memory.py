"""The memory that a process receives into, kept from one receive to the next."""

__all__ = ["keep_memory"]

RECEIVED = 2**18  # bytes that asyncio makes room for at each receive, however few come


def keep_memory() -> None:
    """Have the C library keep blocks as large as asyncio receives into, instead of mapping each of them anew.

    glibc keeps what is no larger than the largest block that the process has ever let go of (mallopt(3),
    M_MMAP_THRESHOLD). Without one, each receive maps memory, faults on it twice, and unmaps it: an eighth of what
    a small call costs.
    """
    bytes(4 * RECEIVED)

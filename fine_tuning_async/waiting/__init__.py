"""Long work: waiting for a job, following its events, watching many."""

from .methods import WaitingAPI

__all__ = ["WaitingAPI"]

"""The operations of the API, a mixin for each noun.

The mixins hold what a client shows. What does the work of some of their methods alone is imported with the first
call that needs it.
"""

from fine_tuning_async._lazy import lazily

lazily(
    __name__,
    "_allowed",
    "_create",
    "_destination",
    "_documents",
    "_form",
    "_keyed",
    "_marks",
    "_parts",
    "_results",
    "_source",
    "_spool",
)

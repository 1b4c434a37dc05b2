"""Long work: waiting for a job, following its events, watching many."""

from fine_tuning_async._lazy import lazily

lazily(__name__, "_follow", "_pace", "_polling", "_wait", "_watch")

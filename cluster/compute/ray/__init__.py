"""Everything that knows Ray: sessions, executors, the functions that run in worker processes."""

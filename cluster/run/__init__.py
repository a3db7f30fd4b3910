"""How a job is driven: lease, commits, progress, and the service that runs queued jobs."""

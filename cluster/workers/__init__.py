"""Ray tasks, and bars in the object store."""

"""One executor for many processes: a server that shares it fairly, and the executor that its clients have."""

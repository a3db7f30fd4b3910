"""PostgreSQL: the embedded server, the schema, bulk COPY and the store."""

"""Search the variants of plays."""

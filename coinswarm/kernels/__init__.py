"""Compiled loops over plain arrays: no checks, no exceptions, no Python objects. The wrappers that call them check."""

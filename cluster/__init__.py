"""The machines: where and when it is computed, and what is remembered."""

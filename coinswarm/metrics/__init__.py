"""Returns and trades -> figures. Definitions: docs/simulation.md."""

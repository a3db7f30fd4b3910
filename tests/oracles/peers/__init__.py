"""Other backtesting engines, each brought to this engine's rules as far as its options go; none is needed but by tests and benchmarks."""

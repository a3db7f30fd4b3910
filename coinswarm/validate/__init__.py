"""Whether to believe a result: proofs and tests that a play has to stand before it is promoted."""

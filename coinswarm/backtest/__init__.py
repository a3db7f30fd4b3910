"""One variant in full: every order, every trade, equity at every close. The readable reference that the fast path is held to."""

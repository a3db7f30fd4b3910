"""The control plane: HTTP over the same calls and models as the command line. It computes nothing itself."""

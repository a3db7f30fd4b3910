"""Job loops: plan, drive, checkpoint, resume, cancel."""

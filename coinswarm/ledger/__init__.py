"""What a run leaves behind: the records, and the protocol every store of them keeps."""

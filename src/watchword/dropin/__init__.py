"""What a program swaps an import for: the names of other libraries, authenticated by watchword."""

"""Bytes to rows and rows to bytes. Knows nothing of schools."""

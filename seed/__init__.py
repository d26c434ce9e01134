"""Data the product starts with: reference (every office) and demo (an invented county)."""

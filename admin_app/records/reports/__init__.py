"""Reports that go up (domain: the reports and their columns): each from a definition file, counted for a day, kept as it was."""

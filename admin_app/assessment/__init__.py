"""The annual target assessment: facts, patterns, scoring, freezing and the workbooks."""

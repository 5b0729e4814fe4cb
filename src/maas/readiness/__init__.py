"""Will it work, does it work, and why not: checks over facts, known issues, and their remedies."""

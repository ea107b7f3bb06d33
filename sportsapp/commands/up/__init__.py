"""`flask up`: everything with one command, and the parts it starts."""

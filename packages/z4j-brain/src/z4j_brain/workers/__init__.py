"""Workers of the engines."""

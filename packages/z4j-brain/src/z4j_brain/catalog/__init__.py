"""The catalog: registered definitions and how their tasks fare."""

"""Live pages: one stream per browser tab, told after each commit."""

"""z4j's scheduler as a process of its own. The rule: it names slots, and fires nothing itself."""

__version__ = "2.0.0"
__all__ = ["__version__"]

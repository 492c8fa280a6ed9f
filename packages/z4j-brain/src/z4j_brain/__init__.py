"""Server, history, audit and dashboard of z4j."""

from importlib.metadata import version

__version__ = version("z4j-brain")

"""Batches of facts become rows: decode, fold, one transaction."""

from .commit import Changed, CommitInfo, OnCommit, ProjectChange

__all__ = ["Changed", "CommitInfo", "OnCommit", "ProjectChange"]

"""A prepared data set as one page to look at and to listen to."""

from .page import write_report

__all__ = ["write_report"]

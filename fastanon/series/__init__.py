"""The files of a series: what is known of one holds for all that is the same in the next."""

from fastanon.series.likeness import Likeness
from fastanon.series.series import Series

__all__ = ["Likeness", "Series"]

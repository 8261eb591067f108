"""A patient who never was, on a Siemens Biograph mMR that never was: data for demo, tests and benchmarks.

Nothing here uses the rest of fastanon, so that what is read by the one was not written by the same hand.

>>> from fastanon.synthetic import make_study
>>> study = make_study("demo")  # doctest: +SKIP
"""

from fastanon.synthetic.image import make_slice
from fastanon.synthetic.person import Person, planted_forms
from fastanon.synthetic.ptd import make_ptd
from fastanon.synthetic.raw import make_listmode, make_listmode_pair, make_norm_pair
from fastanon.synthetic.study import Study, make_study
from fastanon.synthetic.twix import make_twix

__all__ = [
    "Person",
    "Study",
    "make_listmode",
    "make_listmode_pair",
    "make_norm_pair",
    "make_ptd",
    "make_slice",
    "make_study",
    "make_twix",
    "planted_forms",
]

"""A patient who never was, on Siemens scanners that never were: data for demo, tests and benchmarks.

Nothing here uses the rest of fastanon, so that what is read by the one was not written by the same hand.

>>> from fastanon.synthetic import make_study
>>> study = make_study("demo")  # doctest: +SKIP
"""

from fastanon.synthetic.image import make_slice
from fastanon.synthetic.interfile_files import make_listmode_files, make_norm_files, make_sinogram
from fastanon.synthetic.older import make_older_slice
from fastanon.synthetic.packed import make_report
from fastanon.synthetic.person import Person, planted_forms
from fastanon.synthetic.ptd import make_ptd
from fastanon.synthetic.raw import make_listmode, make_listmode_pair, make_norm_pair
from fastanon.synthetic.rda import make_rda
from fastanon.synthetic.study import Study, make_study
from fastanon.synthetic.twix import make_twix
from fastanon.synthetic.xa import make_xa_frames, make_xa_slice

__all__ = [
    "Person",
    "Study",
    "make_listmode",
    "make_listmode_files",
    "make_listmode_pair",
    "make_norm_files",
    "make_norm_pair",
    "make_older_slice",
    "make_ptd",
    "make_rda",
    "make_report",
    "make_sinogram",
    "make_slice",
    "make_study",
    "make_twix",
    "make_xa_frames",
    "make_xa_slice",
    "planted_forms",
]

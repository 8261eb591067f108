"""Files of somebody, with a value of a patient's at one place, written by hand: nothing of fastanon writes them.

A `Place` writes the same file for anybody. What stands at the place is in brackets of its own encoding, and stands
nowhere else, so that a plain search tells its offset.
"""

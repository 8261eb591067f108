"""People with every spelling of their names written out, and writers of files that hide these in every place.

Nothing of fastanon is used. A writer gives bytes together with spans: where a copy of a name stands, where a value
that identifies, where leftover memory, where a payload. So a test can look at each place on its own.
"""

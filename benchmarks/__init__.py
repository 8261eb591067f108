"""Benchmarks, run by hand: see ``run.py`` for whole processes, ``test_walk.py`` for the walk."""

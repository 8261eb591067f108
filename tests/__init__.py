"""Tests of fastanon."""

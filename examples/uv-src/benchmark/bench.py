"""Measured by Pacegate: two texts of 2,000 letters."""

from textdiff import common

assert common("abcde" * 400, "abdce" * 400) > 1000

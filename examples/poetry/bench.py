"""Measured by Pacegate: the primes below two million."""

from primes import primes

assert len(primes(2_000_000)) == 148_933

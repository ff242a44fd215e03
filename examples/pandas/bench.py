"""Measured by Pacegate: thirty reports of the same 200,000 sales."""

import numpy
import pandas

from report import report

ROWS = 200_000
random = numpy.random.default_rng(1)
sales = pandas.DataFrame(
    {
        "shop": random.integers(0, 500, ROWS),
        "price": random.random(ROWS),
        "pieces": random.integers(1, 9, ROWS),
    }
)
for _ in range(30):
    assert len(report(sales)) == 500

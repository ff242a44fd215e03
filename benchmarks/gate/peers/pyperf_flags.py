"""Asks pyperf whether each comparison of two samples is a significant slowdown, as `pyperf compare_to` decides.

Reads one JSON line a comparison, {"baseline": [...], "head": [...]} or null; prints true or false for each.
"""

import json
import sys

import pyperf
from pyperf._compare import CompareData, CompareResult


def benchmark(values):
    """One process a value, as a benchmark file has it."""
    return pyperf.Benchmark(
        [pyperf.Run([value], metadata={"name": "row"}, collect_metadata=False) for value in values]
    )


def is_slower(baseline, head):
    result = CompareResult(
        CompareData("baseline", benchmark(baseline)), CompareData("head", benchmark(head))
    )
    return bool(result.significant) and result.norm_mean > 1.0


def main():
    for line in sys.stdin:
        comparison = json.loads(line)
        slower = comparison is not None and is_slower(comparison["baseline"], comparison["head"])
        print("true" if slower else "false")


if __name__ == "__main__":
    main()

"""Asks asv whether each comparison of two samples is a regression, as `asv continuous` decides.

Reads one JSON line a comparison, {"baseline": [...], "head": [...]} or null; prints true or false for each.
"""

import argparse
import json
import sys

from asv.commands import common_args
from asv.commands.compare import _is_result_better
from asv.util import truncate_float_list
from asv_runner.statistics import compute_stats


def default_factor():
    parser = argparse.ArgumentParser()
    common_args.add_compare(parser)
    return parser.get_default("factor")


def summarise(samples):
    """The result and the statistics that asv stores of samples, and so compares: five digits of the latter."""
    result, stats = compute_stats(samples, 1)
    return result, {name: truncate_float_list(value) for name, value in stats.items()}


def is_worse(baseline, head, factor):
    before, stats_before = summarise(baseline)
    after, stats_after = summarise(head)
    return _is_result_better(before, after, (stats_before, baseline), (stats_after, head), factor)


def main():
    factor = default_factor()
    for line in sys.stdin:
        comparison = json.loads(line)
        worse = comparison is not None and is_worse(comparison["baseline"], comparison["head"], factor)
        print("true" if worse else "false")


if __name__ == "__main__":
    main()

import intervals

FAR_APART = [(3 * number, 3 * number + 1) for number in range(500)]
NESTED = [(number, 1000 - number) for number in range(500)]


def test_far_apart(benchmark):
    assert len(benchmark(intervals.merge, FAR_APART)) == 500


def test_nested(benchmark):
    assert benchmark(intervals.merge, NESTED) == [[0, 1000]]

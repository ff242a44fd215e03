"""The length of the longest common subsequence of two texts."""


def common(left, right):
    row = [0] * (len(right) + 1)
    for one in left:
        before = 0
        for index, other in enumerate(right, 1):
            above = row[index]
            row[index] = before + 1 if one == other else max(above, row[index - 1])
            before = above
    return row[-1]

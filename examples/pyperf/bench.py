import pyperf

import slugs

if __name__ == "__main__":
    runner = pyperf.Runner()
    runner.bench_func("slug", slugs.slug, "What is new in Python, and why? " * 40)

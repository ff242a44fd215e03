"""Makes the last part of an address from a title."""

import re

OTHER = re.compile(r"[^a-z0-9]+")


def slug(title):
    return OTHER.sub("-", title.lower()).strip("-")

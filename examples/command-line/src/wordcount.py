"""Counts the words of the text on standard input."""

import sys


def count(text):
    words = {}
    for word in text.split():
        words[word] = words.get(word, 0) + 1
    return words


def main():
    for word, number in sorted(count(sys.stdin.read()).items()):
        print(number, word)


if __name__ == "__main__":
    main()

"""Prime numbers by the sieve of Eratosthenes."""


def primes(below):
    sieve = [True] * below
    for number in range(2, int(below**0.5) + 1):
        if sieve[number]:
            for multiple in range(number * number, below, number):
                sieve[multiple] = False
    return [number for number in range(2, below) if sieve[number]]

"""Seeds out of numbers: of a run, an epoch, a process."""


def mix(*numbers: int) -> int:
    """One seed out of several numbers, such that neighbouring numbers give unrelated seeds.

    >>> mix(0, 1) == mix(0, 1), mix(0, 1) == mix(1, 0)
    (True, False)
    """
    mixed = 0
    for number in numbers:
        # splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014)
        mixed = (mixed ^ (number & _MASK)) + 0x9E3779B97F4A7C15 & _MASK
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & _MASK
        mixed ^= mixed >> 31
    return mixed >> 1


_MASK = (1 << 64) - 1

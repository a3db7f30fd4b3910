"""Slow, obvious twins of `coinswarm.kernels.resampling`."""

from __future__ import annotations


def count_exceedances(draws: list[list[float]], observed: list[float], running: list[float]) -> tuple[list[int], list[int]]:
    alone, together = [], []
    for row, threshold in enumerate(observed):
        largest = [max(running[draw], *(earlier[draw] for earlier in draws[: row + 1])) for draw in range(len(running))]
        alone.append(sum(value >= threshold for value in draws[row]))
        together.append(sum(value >= threshold for value in largest))
    return alone, together


def count_uses(starts: list[int], lengths: list[int], n_obs: int) -> list[int]:
    covered = [(start + k) % n_obs for start, length in zip(starts, lengths, strict=True) for k in range(length)]
    return [covered.count(observation) for observation in range(n_obs)]

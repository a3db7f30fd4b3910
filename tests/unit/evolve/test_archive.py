from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ribs.archives import GridArchive

from coinswarm import errors
from coinswarm.evolve import Members, archive, packing
from coinswarm.evolve.archive import Behaviour, Descriptor

HOLD = Descriptor(name="hold", low=1.0, high=288.0, cells=6, log=True)
BEHAVIOUR = Behaviour(descriptors=(HOLD, Descriptor(name="exposure", low=0.0, high=1.0, cells=4)))


def batch(seed, count=60):
    rng = np.random.default_rng(seed)
    names = rng.integers(0, 10**6, count)
    members = Members(
        genomes=names[:, None].astype(float), identities=names.astype("S64"), births=names, objectives=np.zeros((count, 1)),
        violation=np.where(rng.random(count) < 0.8, 0.0, 1.0), failed=rng.random(count) < 0.1,
    )  # fmt: skip
    quality = rng.integers(0, 5, count).astype(float)
    return members, quality, np.stack([np.exp(rng.normal(3, 2, count)), rng.normal(0.5, 0.4, count)], axis=1)


def filled(*seeds):
    found = archive.empty(BEHAVIOUR, 1)
    for seed in seeds:
        found = archive.add(found, BEHAVIOUR, *batch(seed))
    return found


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_no_cell_ever_gets_worse_or_empty(seed):
    before = filled(seed)
    after = archive.add(before, BEHAVIOUR, *batch(seed + 1))
    kept = dict(zip(after.cells.tolist(), after.quality.tolist(), strict=True))
    assert all(kept[cell] >= quality for cell, quality in zip(before.cells.tolist(), before.quality.tolist(), strict=True))


@given(st.permutations([1, 2, 3, 4]), st.sampled_from([1, 2, 3, 4]))
@settings(max_examples=15, deadline=None)
def test_the_order_and_repetition_of_showing_change_nothing(order, again):
    assert packing.encode(filled(*order, again)) == packing.encode(filled(1, 2, 3, 4))


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_the_archive_keeps_what_pyribs_keeps(seed):
    members, quality, descriptors = batch(seed)
    rows = members.feasible
    grid = GridArchive(solution_dim=1, dims=[6, 4], ranges=[(0.0, np.log(288.0)), (0.0, 1.0)])
    measures = np.stack([np.log(np.clip(descriptors[rows, 0], 1.0, 288.0)), descriptors[rows, 1]], axis=1)
    grid.add(members.genomes[rows], quality[rows], measures)
    theirs = grid.data(["index", "objective"], return_type="tuple")
    ours = archive.add(archive.empty(BEHAVIOUR, 1), BEHAVIOUR, members, quality, descriptors)
    assert dict(zip(*theirs, strict=True)) == dict(zip(ours.cells.tolist(), ours.quality.tolist(), strict=True))


def test_infeasible_failed_and_undescribed_variants_stay_outside():
    members, quality, descriptors = batch(1, 4)
    members = replace(members, violation=np.array([1.0, 0, 0, 0]), failed=np.array([False, True, False, False]))
    descriptors[2, 0], quality[3] = np.nan, np.nan
    assert len(archive.add(archive.empty(BEHAVIOUR, 1), BEHAVIOUR, members, quality, descriptors)) == 0


def test_behaviour_beyond_the_bounds_belongs_to_the_outermost_cells():
    places = archive.cells(BEHAVIOUR, np.array([[0.0, -9.0], [1e9, 9.0], [-np.inf, np.inf]]))
    assert places.tolist() == [0, 23, 3]


def test_positions_and_coverage_describe_the_map():
    found = filled(1)
    assert archive.coverage(found, BEHAVIOUR) == len(found) / 24
    assert (archive.positions(found, BEHAVIOUR) @ [4, 1] == found.cells).all()


def test_a_stored_archive_is_the_same_archive():
    found = filled(1, 2)
    assert packing.encode(packing.decode(packing.encode(found), archive.Archive)) == packing.encode(found)


def test_wrong_shapes_and_bounds_are_refused():
    members, quality, descriptors = batch(1)
    with pytest.raises(errors.ShapeMismatch, match=r"descriptors must have shape \(60, 2\)"):
        archive.add(archive.empty(BEHAVIOUR, 1), BEHAVIOUR, members, quality, descriptors[:, :1])
    with pytest.raises(errors.BadSetting, match="needs low < high"):
        Descriptor(name="x", low=0.0, high=1.0, log=True)

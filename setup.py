"""Packages of the wheel: the two of the project, and the migrations, which live at the top of the checkout and travel inside the store."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["coinswarm*", "cluster*"]), "cluster.store.migrations", "cluster.store.migrations.versions"],
    package_dir={"cluster.store.migrations": "migrations"},
)

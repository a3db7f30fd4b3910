"""Packages of the wheel: the two of the project, migrations, example plays and gates, which live at the top of the checkout."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["coinswarm*", "cluster*"]),
        "cluster.store.migrations",
        "cluster.store.migrations.versions",
        "cluster.plays",
        "cluster.plays.technical",
        "cluster.plays.academic",
        "coinswarm.validate.rules",
    ],
    package_dir={
        "cluster.store.migrations": "migrations",
        "cluster.plays": "plays/examples",
        "cluster.plays.technical": "plays/technical",
        "cluster.plays.academic": "plays/academic",
        "coinswarm.validate.rules": "plays/gates",
    },
)

"""How often the gates are wrong: a search on a made-up world, and whether its winner is promoted."""

"""From the text of a play to its meaning, one kind of thing a module; `coinswarm.play.reader` joins them."""

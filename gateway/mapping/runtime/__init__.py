"""What nodes mean: one function for each kind of node. Pure, and the reference for any other way to run a mapping."""

"""The canonical contract: what frontends see and what every mapping is checked against. Nothing here calls anybody."""

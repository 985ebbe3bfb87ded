"""What a value of the contract may be."""

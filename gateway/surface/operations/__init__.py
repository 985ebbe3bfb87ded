"""The operations of the contract and of providers over HTTP."""

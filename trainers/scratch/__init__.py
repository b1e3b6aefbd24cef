"""Pictures and signals from nothing: a small network, or random convolutions, with small models beside."""

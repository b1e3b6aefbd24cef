"""A large rung labels rows that nobody labelled; a small one learns from them and is held against both neighbours."""

"""Groups, topics and oddities where nobody has written right answers: found, held against chance, shown to people."""

"""Floor 3: the same verbs for agents, over the Model Context Protocol."""

"""A run's record told to a tracker that a team already uses: figures, settings and hashes, never a row of the data."""

"""People: users, sessions, members."""

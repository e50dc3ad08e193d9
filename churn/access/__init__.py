"""Who may call: users, tokens, roles."""

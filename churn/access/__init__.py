"""Who may call: users, tokens and the gate."""

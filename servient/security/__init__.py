"""Who may come in: principals, their credentials, and how they are checked."""

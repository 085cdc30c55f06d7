"""Who is told of what. Owns the table notifications."""

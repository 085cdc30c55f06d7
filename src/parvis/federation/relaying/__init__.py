"""What is kept of relays: who was asked, and who agreed."""

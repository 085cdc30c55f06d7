"""How it stands with each host that we bring things to or ask: due, leased, failing, left alone."""

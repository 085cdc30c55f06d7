-- In which of the two ways a server understands our signatures, where the usual one was refused.
ALTER TABLE peers ADD COLUMN signatures text CHECK (signatures IN ('cavage', 'rfc9421'));

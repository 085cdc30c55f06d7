-- Who is limited: a public timeline asks it of each page, and must not read all people to learn that it is nobody.
CREATE INDEX accounts_limited ON accounts (id) WHERE limited_at IS NOT NULL;

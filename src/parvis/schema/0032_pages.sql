-- A post of elsewhere is found by the address of its page; one of ours has its number at the end of it.
CREATE INDEX statuses_url ON statuses (url) WHERE NOT local;

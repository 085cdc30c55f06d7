-- With what is for followers only, their digest goes along: the other server compares it with whom it knows of.

ALTER TABLE outgoing ADD COLUMN compared boolean NOT NULL DEFAULT false;
